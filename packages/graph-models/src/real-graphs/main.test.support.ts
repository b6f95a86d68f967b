// pnpm --filter @rebatch/graph-models real-graphs [name ...]: checks graphs that people use, and prints what was found.
import { progressBar } from '@rebatch/npm-files';
import Table from 'cli-table3';
import { checkGraph, type GraphCheck } from './check-graph.test.support.ts';
import { fetchGraphs, GRAPHS } from './package.test.support.ts';

const abort = new AbortController();
process.once('SIGINT', () => abort.abort(new Error('interrupted')));
await fetchGraphs({ signal: abort.signal, progress: progressBar() });

const names = process.argv.slice(2);
const table = new Table({
  head: ['graph', 'sites', 'left out', 'error', 'why left out'],
  style: { head: [], border: [], compact: true },
});
const checks: GraphCheck[] = [];
for (const name of names.length > 0 ? names : GRAPHS) {
  abort.signal.throwIfAborted();
  const check = await checkGraph(name);
  checks.push(check);
  table.push([name, check.sites, check.leftOut.length, check.error?.toPrecision(2) ?? 'no site', why(check)]);
  process.stderr.write('.');
}
process.stderr.write('\n');
process.stdout.write(`${table.toString()}\n`);
const adaptable = checks.filter(({ sites }) => sites > 0);
const total = adaptable.reduce((sum, { sites }) => sum + sites, 0);
process.stdout.write(`${adaptable.length} of ${checks.length} graphs can be adapted, in ${total} sites.\n`);
const failed = checks.filter((check) => !holds(check));
for (const check of failed)
  process.stdout.write(`${check.name} FAILED: ${JSON.stringify({ ...check, leftOut: 0 })}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;

function holds({ error, lost, unvisited, sameBytes }: GraphCheck): boolean {
  return (error === null || error <= 1e-6) && lost.length === 0 && unvisited === 0 && sameBytes;
}

/** How many for which reason, without names. */
function why({ leftOut }: GraphCheck): string {
  const counts = new Map<string, number>();
  for (const { reason } of leftOut) {
    const short = reason.replace(/'[^']*'/g, '...').replace(/ \(.*$/, '');
    counts.set(short, (counts.get(short) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count}x ${reason}`).join('\n');
}
