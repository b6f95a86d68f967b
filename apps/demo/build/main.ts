// `pnpm demo`: builds the page and serves it on this machine.

import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { build, preview } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

const program = new Command('demo')
  .description('Builds the lab and serves it on this machine.')
  .option('-p, --port <number>', 'the port to serve it at, or the next one that is free', port, 4173)
  .option('--host', 'also serve it to other machines of the network')
  .option('--open', 'open it in the browser')
  .parse();
const { port: wanted, host, open } = program.opts<{ port: number; host?: boolean; open?: boolean }>();

await build({ root, logLevel: 'warn' });
const server = await preview({
  root,
  logLevel: 'warn',
  preview: { port: wanted, ...(host ? { host: true } : {}), ...(open ? { open: true } : {}) },
});
for (const url of [...(server.resolvedUrls?.local ?? []), ...(server.resolvedUrls?.network ?? [])]) {
  console.log(`The lab is at ${url}`);
}
console.log('End it with Ctrl+C.');

function port(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    throw new InvalidArgumentError('Expected a port from 1 to 65535.');
  }
  return number;
}
