// The READMEs show what really comes out. `pnpm --filter @rebatch/cli write-readmes` writes what comes out now.
import { expect, test } from 'vitest';
import { READMES, rerun, timeless } from './testing/shown-commands.ts';

test.each(READMES)('%s', async (readme) => {
  const { said, now } = await rerun(readme);
  expect(now.match(/^\$ rebatch /gm)!.length).toBeGreaterThan(2);
  expect(timeless(now)).toBe(timeless(said));
});
