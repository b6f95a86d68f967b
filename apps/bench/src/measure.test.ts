import { describe, expect, it } from 'vitest';
import { measure, median, summarize } from './measure.ts';

describe('median', () => {
  it('is the middle value, or the mean of the middle two', () => {
    expect(median([5])).toBe(5);
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 9, 1, 2])).toBe(5.5);
    // Sorted as text, 10 would come before 9.
    expect(median([9, 10, 100])).toBe(10);
  });

  it('leaves its input as it is, and refuses an empty one', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('summarize', () => {
  it('takes the ratio within each pair before the median', () => {
    // The machine slows down threefold halfway; the ratio within each pair is 10 all the same.
    const pairs = [
      [1, 10],
      [1, 10],
      [3, 30],
    ] as const;
    expect(summarize(pairs)).toEqual({ oursMs: 1, peerMs: 10, ratio: 10, spread: [10, 10] });
  });

  it('reports the lowest and the highest pair', () => {
    const pairs = [
      [2, 10],
      [1, 10],
      [4, 12],
    ] as const;
    expect(summarize(pairs)).toEqual({ oursMs: 2, peerMs: 10, ratio: 5, spread: [3, 10] });
  });
});

describe('measure', () => {
  /** Two sides on a clock that only they advance. */
  function simulate(oursMs: number, peerMs: number) {
    const log: string[] = [];
    let time = 0;
    const side = (name: string, ms: number) => ({
      run: async () => {
        log.push(name);
        time += ms;
      },
    });
    return { log, ours: side('ours', oursMs), peer: side('peer', peerMs), now: () => time };
  }

  it('finds the time of each side and their ratio', async () => {
    const { ours, peer, now } = simulate(20, 900);
    expect(await measure(ours, peer, { now })).toEqual({
      oursMs: 20,
      peerMs: 900,
      ratio: 45,
      spread: [45, 45],
    });
  });

  it('warms up, then alternates the order of the pairs', async () => {
    const { log, ours, peer, now } = simulate(100, 100);
    await measure(ours, peer, { now, pairs: [4, 4] });
    expect(log.slice(0, 4)).toEqual(['ours', 'ours', 'peer', 'peer']);
    expect(log.slice(4)).toEqual(['ours', 'peer', 'peer', 'ours', 'ours', 'peer', 'peer', 'ours']);
  });

  it('repeats a fast side within a sample, and still reports one run', async () => {
    const { log, ours, peer, now } = simulate(0.5, 100);
    const { oursMs, ratio } = await measure(ours, peer, { now, sampleMs: 10, warmUpMs: 30, pairs: [3, 3] });
    expect(oursMs).toBe(0.5);
    expect(ratio).toBe(200);
    const runs = (name: string) => log.filter((entry) => entry === name).length;
    // To warm up, then three samples.
    expect(runs('ours')).toBe(60 + 3 * 20);
    expect(runs('peer')).toBe(2 + 3);
  });

  it('fits the number of pairs to the budget, within its bounds', async () => {
    const count = async (peerMs: number) => {
      const { log, ours, peer, now } = simulate(100, peerMs);
      await measure(ours, peer, { now, budgetMs: 4000, sampleMs: 12, warmUpMs: 0, pairs: [3, 31] });
      return log.filter((entry) => entry === 'peer').length - 2;
    };
    expect(await count(10_000)).toBe(3);
    expect(await count(300)).toBe(10);
    expect(await count(20)).toBe(31);
  });

  it('waits within the time for a device that works on its own, once per sample', async () => {
    let time = 0;
    let asked = 0;
    const waits: number[] = [];
    const device = {
      run: () => {
        asked++;
      },
      finish: async () => {
        waits.push(asked);
        time += 5 * asked;
        asked = 0;
      },
    };
    const peer = {
      run: () => {
        time += 100;
      },
    };
    const now = () => time;
    const { oursMs } = await measure(device, peer, {
      now,
      sampleMs: 20,
      warmUpMs: 10,
      budgetMs: 0,
      pairs: [2, 2],
    });
    expect(oursMs).toBe(5);
    // After each run of the warm-up, then after four runs.
    expect(waits).toEqual([1, 1, 4, 4]);
  });

  it('leaves preparation and a cheaper warm-up out of the time', async () => {
    const { log, ours, now } = simulate(50, 0);
    let time = 0;
    const advance = (ms: number) => async () => {
      time += ms;
    };
    const clock = () => now() + time;
    const peer = { run: advance(100), prepare: advance(7000), warmUp: advance(9000) };
    const { peerMs, ratio } = await measure(ours, peer, { now: clock, pairs: [3, 3] });
    expect(peerMs).toBe(100);
    expect(ratio).toBe(2);
    expect(log).toHaveLength(2 + 3);
  });
});
