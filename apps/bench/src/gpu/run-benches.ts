// Runs the benches of the GPU alone, and prints their lines as `pnpm bench --json --machine` does.

import { bnWebgpu } from '../benches/bn-webgpu.ts';
import { meets, tableRow } from '../line.ts';
import { thisOrigin } from '../report/machine.ts';
import { runCase } from '../run-case.ts';
import { startDawn } from './dawn.ts';

console.log = console.info = console.error;
const print = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
const { name } = await startDawn().catch((error: Error) => {
  console.error(`not measured: ${error.message}`);
  return process.exit(1);
});
print(thisOrigin(new Date(), name));
let failed = 0;
for (const one of bnWebgpu.cases()) {
  const outcome = await runCase(bnWebgpu, one);
  const what = `${bnWebgpu.name}, ${one.case}, ${one.shape}, against ${one.peer}`;
  if ('line' in outcome) {
    print(outcome.line);
    console.error(tableRow(outcome.line, one.target));
    if (!meets(outcome.line, one.target)) console.error('  misses its target');
  } else if ('notMeasured' in outcome) {
    console.error(`${what}: not measured: ${outcome.notMeasured}`);
  } else {
    failed++;
    console.error(`${what}:`, outcome.failed);
  }
}
// WebGPU keeps the process alive.
process.exit(failed > 0 ? 1 : 0);
