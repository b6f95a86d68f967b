// Damaged Keras files get other weights where they are whole enough, and one of our errors otherwise.

import { seededRandom } from '@rebatch/testing';
import { describe, expect, it } from 'vitest';
import { ModelFileError, replaceWeights } from './index.ts';
import { fixture } from './testing/fixtures.ts';
import { belowOf, damageBytes } from './testing/mutations.ts';
import { expandedWeights } from './testing/replaced.ts';

describe('damaged files', () => {
  it.each([
    ['keras2', 'dense-f4.h5', 250],
    ['layouts', 'compact-checked.h5', 250],
    ['layouts', 'gzip-checked.h5', 250],
    ['layouts', 'large-stored-streamed.keras', 250],
    ['layouts', 'small-deflated.keras', 150],
  ] as const)('of %s/%s are refused or written right', async (archive, name, runs) => {
    const { bytes } = fixture(archive, name);
    const [one] = (await expandedWeights({ name, bytes })).keys();
    let written = 0;
    for (let run = 0; run < runs; run++) {
      const damaged = damageBytes(bytes, belowOf(seededRandom(run + 1)));
      const before = await expandedWeights({ name, bytes: damaged }).catch(() => undefined);
      const fresh = Float32Array.from(before?.get(one!) ?? [1], (_, i) => i + 1);
      try {
        const after = await replaceWeights([{ name, bytes: damaged }], { [one!]: fresh });
        const again = await expandedWeights({ name, bytes: after });
        expect([...again.keys()]).toEqual([...before!.keys()]);
        for (const [other, values] of before!)
          expect(again.get(other)).toEqual(other === one ? fresh : values);
        written++;
      } catch (error) {
        if (!(error instanceof ModelFileError))
          throw new Error(`Run ${run} ends in ${error}`, { cause: error });
      }
    }
    expect(written).toBeLessThan(runs);
  });
});
