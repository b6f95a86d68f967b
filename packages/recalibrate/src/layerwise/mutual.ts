// Which nodes of a graph depend on each other, found in time linear in nodes and edges (Tarjan 1972).

/** For each node, the nodes that it depends on directly. */
export interface Graph {
  readonly before: readonly (readonly number[])[];
}

/** Nodes in groups: those of a group all depend on each other, or it is a single one. */
export interface Groups {
  /** A group comes after all groups that its members depend on. */
  readonly members: readonly (readonly number[])[];
  /** The number of each node's group. */
  readonly of: readonly number[];
}

/** The strongly connected components of a graph. Without recursion: a forward of many layers is a long chain. */
export function groupsOf({ before }: Graph): Groups {
  const members: number[][] = [];
  const of: number[] = before.map(() => -1);
  /** When each node was met, from 1, and the earliest node still open that it leads to. */
  const met: number[] = before.map(() => 0);
  const lowest: number[] = before.map(() => 0);
  let time = 0;
  const open: number[] = [];
  const path: { readonly node: number; next: number }[] = [];
  const enter = (node: number) => {
    time += 1;
    met[node] = time;
    lowest[node] = time;
    open.push(node);
    path.push({ node, next: 0 });
  };
  for (const root of before.keys()) {
    if (met[root] === 0) enter(root);
    while (path.length > 0) {
      const { node, next } = path.at(-1)!;
      if (next < before[node]!.length) {
        path.at(-1)!.next += 1;
        const other = before[node]![next]!;
        if (met[other] === 0) enter(other);
        else if (of[other] === -1) lowest[node] = Math.min(lowest[node]!, met[other]!);
        continue;
      }
      path.pop();
      if (lowest[node] === met[node]) {
        const group = open.splice(open.lastIndexOf(node));
        for (const member of group) of[member] = members.length;
        members.push(group);
      }
      const parent = path.at(-1)?.node;
      if (parent !== undefined) lowest[parent] = Math.min(lowest[parent]!, lowest[node]!);
    }
  }
  return { members, of };
}
