// Writes into the READMEs what the commands in them print now.
//
//   pnpm --filter @rebatch/cli write-readmes
import { writeFile } from 'node:fs/promises';
import { READMES, rerun, timeless } from '../src/testing/shown-commands.ts';

for (const readme of READMES) {
  const { path, said, now } = await rerun(readme);
  // Times alone are no news.
  if (timeless(said) !== timeless(now)) await writeFile(path, now);
}
