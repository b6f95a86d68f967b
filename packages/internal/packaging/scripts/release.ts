// The command "pnpm release".

import { program } from 'commander';
import { command } from '../src/commands.ts';
import { packInto, ReleaseError, rehearse } from '../src/release.ts';
import { ROOT } from '../src/workspace.ts';

program
  .name('pnpm release')
  .description('Publishes every package whose version is not on the registry yet.')
  .option('--dry-run', 'do all of it but the upload')
  .option('--pack <folder>', 'only write the tarballs, to be installed from there');
const { dryRun, pack } = program.parse().opts<{ dryRun?: boolean; pack?: string }>();

try {
  if (pack !== undefined) {
    const paths = await packInto(pack);
    console.log(`${paths.join('\n')}\n\nIn your project: npm install ${pack}/*.tgz`);
  } else {
    await rehearse(console.log);
    if (!dryRun) console.log(await command('pnpm', ['exec', 'changeset', 'publish'], ROOT));
  }
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
