import { expect, test } from 'vitest';
import { BENCHES } from './registry.ts';
import { lineKey } from './report/lines-file.ts';

test('benches are called what they are registered as, and no two cases are one row of the report', async () => {
  const keys: string[] = [];
  for (const [name, load] of Object.entries(BENCHES)) {
    const bench = await load();
    expect(bench.name).toBe(name);
    keys.push(...bench.cases().map((one) => lineKey({ ...one, bench: name })));
  }
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
});
