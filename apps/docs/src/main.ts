// The command "pnpm run docs": builds the site and serves it.

import { program } from 'commander';
import { serve } from 'vitepress';
import { buildSite, PAGES } from './build.ts';

program
  .name('docs')
  .description('Builds the documentation, and serves it.')
  .option('--port <number>', 'on this port', Number, 4180)
  .option('--no-serve', 'only build it, into apps/docs/dist/site');
const { port, serve: served } = program.parse().opts<{ port: number; serve: boolean }>();

await buildSite();
if (served) {
  await serve({ root: PAGES, port });
  console.log(`The documentation is at http://localhost:${port}/`);
}
