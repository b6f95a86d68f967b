// `pnpm --filter @rebatch/bench simulate-queue`: measures what a queue costs, simulates 1 to 1,000 workers, and says where it
// stops scaling and why. With --write it is kept as results/queue-simulation.md.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { hasRedis, RedisServer } from '@rebatch/redis';
import { markdownTable } from '@rebatch/report';
import { Command } from 'commander';
import seedrandom from 'seedrandom';
import { type MeasuredCosts, measureCosts, SUBJECT } from './measure-costs.ts';
import { type Limit, limitOf, type QueueCosts, type QueueRun, simulate } from './simulate.ts';

const WORKERS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
/** A network of 1 Gbit/s, in bytes per millisecond. */
const BANDWIDTH = 125_000;
/** Twice the workers that gain less than this do not scale. */
const GAIN = 1.25;

interface Scenario {
  readonly title: string;
  readonly samples: number;
  readonly mode: 'batch' | 'layerwise';
}

const SCENARIOS: readonly Scenario[] = [
  { title: "10,000 images, mode 'batch'", samples: 10_000, mode: 'batch' },
  { title: "100,000 images, mode 'batch'", samples: 100_000, mode: 'batch' },
  { title: "10,000 images, mode 'layerwise'", samples: 10_000, mode: 'layerwise' },
];

const FILE = fileURLToPath(new URL('../../results/queue-simulation.md', import.meta.url));

new Command('simulate-queue')
  .description('Simulates a recalibration by 1 to 1,000 workers from shard times measured here.')
  .option('--write', 'keep it as results/queue-simulation.md')
  .action(async ({ write = false }: { write?: boolean }) => {
    console.log = console.info = console.error;
    if (!hasRedis()) return;
    const redis = await RedisServer.start();
    try {
      const costs = await measureCosts(redis, (text) => process.stderr.write(`${text}\n`));
      const text = render(costs);
      process.stdout.write(text);
      if (write) await writeFile(FILE, text);
    } finally {
      await redis.remove();
    }
  })
  .parse();

function render(costs: MeasuredCosts): string {
  const { side, batch, shardBatches } = SUBJECT;
  return `${[
    '# A recalibration by 1 to 1,000 workers',
    `Simulated from times measured on one machine: MobileNet v2 on ${side}x${side} images, batches of ${batch}, shards of ` +
      `${shardBatches} batches, a worker per core, and one Redis behind 1 Gbit/s. Written by ` +
      '`pnpm --filter @rebatch/bench simulate-queue --write`: do not edit.',
    markdownTable({
      head: ['measured, per shard', "mode 'batch'", "mode 'layerwise', per level"],
      body: [
        ['measuring', `${ms(mean(costs.batch.shardMs))}`, `${ms(mean(costs.layerwise.levelMs!))}`],
        ['through the network', kilobytes(costs.batch.bytes), kilobytes(costs.layerwise.bytes)],
        ['Redis is busy', ms(costs.batch.redisMs), ms(costs.layerwise.redisMs)],
        ['adding it up', ms(costs.batch.mergeMs), ms(costs.layerwise.mergeMs)],
        ['a round of nothing', ms(costs.batch.roundMs), ms(costs.layerwise.roundMs)],
      ],
    }),
    ...SCENARIOS.map((scenario) => renderScenario(scenario, costs)),
  ].join('\n\n')}\n`;
}

interface Point {
  readonly workers: number;
  readonly time: number;
  readonly limit: Limit;
  readonly share: number;
}

function renderScenario({ title, samples, mode }: Scenario, costs: MeasuredCosts): string {
  const shards = Math.ceil(samples / (SUBJECT.batch * SUBJECT.shardBatches));
  const rounds = mode === 'batch' ? 1 : costs.levels;
  const runOf = (workers: number) => (): QueueRun => ({
    ...{ workers, shards, rounds, bandwidth: BANDWIDTH, random: seedrandom('queue') },
  });
  const timeOf = (workers: number) => simulate(costs[mode], runOf(workers)());
  const points = WORKERS.map(
    (workers): Point => ({
      workers,
      time: timeOf(workers),
      ...limitOf(costs[mode], runOf(workers)),
    }),
  );
  const [single] = points as [Point];
  const body = points.map(({ workers, time, limit, share }) => [
    String(workers),
    seconds(time),
    `${(single.time / time).toFixed(1)}x`,
    `${((100 * single.time) / time / workers).toFixed(0)}%`,
    share < 0.02 ? 'nothing' : `${limit} (${(100 * share).toFixed(0)}%)`,
  ]);
  return [
    `## ${title}`,
    `${shards} shards${rounds > 1 ? ` in each of ${rounds} rounds` : ''}. ${verdict(points, timeOf, costs[mode], runOf)}`,
    markdownTable({
      head: ['workers', 'time', 'speedup', 'efficiency', 'held back by (its share of the time)'],
      body,
    }),
  ].join('\n\n');
}

/** Where it stops, and why. */
function verdict(
  points: readonly Point[],
  timeOf: (workers: number) => number,
  costs: QueueCosts,
  runOf: (workers: number) => () => QueueRun,
): string {
  const end = points.find(({ workers, time }) => time / timeOf(2 * workers) < GAIN);
  if (end === undefined) return 'It scales all the way.';
  const { limit } = limitOf(costs, runOf(2 * end.workers));
  return `It stops scaling at about ${end.workers} workers: twice as many gain less than ${Math.round(100 * (GAIN - 1))}%. ${WHY[limit]}`;
}

const WHY: Readonly<Record<Limit, string>> = {
  'too few shards': 'There are fewer shards than workers: make them smaller.',
  'uneven shards': 'The slowest shard of a round is waited for.',
  Redis: 'Redis is busy with taking out and taking in.',
  'the network': 'What the shards give fills the network of Redis: make them give less, by larger batches.',
  merging: 'One worker adds all shards up, one after the other.',
  rounds: 'The pause between rounds is longer than a round.',
};

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const ms = (value: number) => `${Number(value.toPrecision(3))} ms`;
const seconds = (value: number) => `${Number((value / 1000).toPrecision(3))} s`;
const kilobytes = (value: number) => `${Math.round(value / 1000)} kB`;
