/**
 * Of a graph given as a list of what each node needs, the nodes that can never be computed: those on a cycle, and those
 * that need one of them. Empty when all can. Takes time linear in nodes and edges.
 */
export function unreachable(needs: readonly (readonly number[])[]): number[] {
  const waiting = needs.map((list) => list.length);
  const users: number[][] = needs.map(() => []);
  for (const [node, list] of needs.entries()) for (const needed of list) users[needed]!.push(node);
  const ready = waiting.flatMap((count, node) => (count === 0 ? [node] : []));
  for (let at = 0; at < ready.length; at++) {
    for (const user of users[ready[at]!]!) if (--waiting[user]! === 0) ready.push(user);
  }
  return waiting.flatMap((count, node) => (count > 0 ? [node] : []));
}
