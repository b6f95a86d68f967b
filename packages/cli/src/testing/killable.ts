// The command in a process of its own, to be killed: what it loads is there before it says that it begins.
import '../commands/run/recalibrate.ts';
import { processStreams } from '../io.ts';
import { startBackend } from '../model/backend.ts';
import { run } from '../run.ts';

await startBackend('cpu');
process.send!('begins');
process.exitCode = await run(process.argv.slice(2), processStreams(new AbortController().signal));
process.disconnect();
