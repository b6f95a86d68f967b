// How long a recalibration by a queue takes with so many workers: a simulation of events, from measured times.

/** What was measured, in milliseconds. */
export interface QueueCosts {
  /** Measuring one shard, several times: the simulation draws from these. */
  readonly shardMs: readonly number[];
  /** The mean of each round, where rounds differ: what is drawn is scaled to it. */
  readonly levelMs?: readonly number[];
  /** What Redis, which does one thing at a time, is busy with per shard: taking the job out, and its result in. */
  readonly redisMs: number;
  /** What passes through the network of Redis per shard, there and back. */
  readonly bytes: number;
  /** Adding one shard up, in the one worker that merges a round. */
  readonly mergeMs: number;
  /** Between the last shard of a round and the first of the next, but for adding up. */
  readonly roundMs: number;
}

/** What is simulated. */
export interface QueueRun {
  readonly workers: number;
  /** Shards of one round. */
  readonly shards: number;
  /** Rounds, one after the other: 1 in mode 'batch', the levels in mode 'layerwise'. */
  readonly rounds: number;
  /** Bytes per millisecond that the network of Redis takes. */
  readonly bandwidth: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What may hold a run back. */
export const LIMITS = [
  'too few shards',
  'uneven shards',
  'Redis',
  'the network',
  'merging',
  'rounds',
] as const;
export type Limit = (typeof LIMITS)[number];

/**
 * Milliseconds of a run. Workers take a shard as soon as they are free; taking it and giving its result back waits in line at
 * Redis; when all shards of a round are there, one worker adds them up.
 *
 * @param without what is taken to cost nothing, to see how much it matters.
 */
export function simulate(costs: QueueCosts, run: QueueRun, without?: Limit): number {
  const { workers, shards, rounds, bandwidth, random } = run;
  const mean = costs.shardMs.reduce((a, b) => a + b, 0) / costs.shardMs.length;
  const drawn = () =>
    without === 'uneven shards' ? mean : costs.shardMs[Math.floor(random() * costs.shardMs.length)]!;
  const redis = without === 'Redis' ? 0 : costs.redisMs / 2;
  const wire = without === 'the network' ? 0 : costs.bytes / bandwidth;
  let now = 0;
  for (let round = 0; round < rounds; round++) {
    const scale = costs.levelMs === undefined ? 1 : costs.levelMs[round % costs.levelMs.length]! / mean;
    const draw = () => scale * drawn();
    now = oneRound(now, { workers, shards, redis, wire, draw, even: without === 'too few shards' });
    if (without !== 'merging') now += shards * costs.mergeMs;
    if (without !== 'rounds') now += costs.roundMs;
  }
  return now;
}

interface Round {
  readonly workers: number;
  readonly shards: number;
  readonly redis: number;
  readonly wire: number;
  readonly draw: () => number;
  /** Whether shards can be cut as finely as there are workers. */
  readonly even: boolean;
}

/** @returns when the last shard is there. */
function oneRound(start: number, round: Round): number {
  const { workers } = round;
  const parts = round.even ? Math.max(1, Math.ceil(workers / round.shards)) : 1;
  const shards = round.shards * parts;
  // Redis and its network are one line each: who comes later waits.
  const redis = line(start, round.redis / parts);
  const wire = line(start, round.wire / parts);
  const events = new EventHeap();
  for (let i = 0; i < Math.min(workers, shards); i++) events.push({ at: start, what: 'free' });
  let [taken, last] = [0, start];
  for (let event = events.pop(); event !== undefined; event = events.pop()) {
    const { at, what } = event;
    if (what === 'free' && taken < shards) {
      taken += 1;
      events.push({ at: redis(at) + round.draw() / parts, what: 'measured' });
    } else if (what === 'measured') events.push({ at: wire(at), what: 'sent' });
    else if (what === 'sent') {
      last = Math.max(last, redis(at));
      // Whoever has given a result takes the next shard.
      events.push({ at: last, what: 'free' });
    }
  }
  return last;
}

/** Serves one after the other, `takes` milliseconds each. */
function line(start: number, takes: number): (at: number) => number {
  let free = start;
  return (at) => {
    free = Math.max(free, at) + takes;
    return free;
  };
}

/** What gains most if it cost nothing, and by which share of the time. */
export function limitOf(
  costs: QueueCosts,
  run: () => QueueRun,
): { readonly limit: Limit; readonly share: number } {
  const whole = simulate(costs, run());
  const gains = LIMITS.map((limit) => ({ limit, share: 1 - simulate(costs, run(), limit) / whole }));
  return gains.reduce((a, b) => (b.share > a.share ? b : a));
}

interface SimulatedEvent {
  readonly at: number;
  readonly what: 'free' | 'measured' | 'sent';
}

/** The earliest first. */
class EventHeap {
  readonly #items: SimulatedEvent[] = [];

  push(event: SimulatedEvent): void {
    const items = this.#items;
    items.push(event);
    for (let i = items.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (items[parent]!.at <= items[i]!.at) break;
      [items[i], items[parent]] = [items[parent]!, items[i]!];
      i = parent;
    }
  }

  pop(): SimulatedEvent | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return first;
    items[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < items.length && items[child]!.at < items[least]!.at) least = child;
      }
      if (least === i) return first;
      [items[i], items[least]] = [items[least]!, items[i]!];
      i = least;
    }
  }
}
