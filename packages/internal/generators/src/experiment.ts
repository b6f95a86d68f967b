// pnpm new experiment: an experiment that trains a small network on digits, with the test of its claims.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { namesOf } from './names.ts';
import { fill, insert, newFiles, type Plan, ROOT, read, refuseDuplicate, skeleton } from './plan.ts';

const EXPERIMENTS = 'apps/paper/src/experiments';

export function planExperiment(section: string, name: string): Plan {
  const texts = [skeleton('experiment.ts'), skeleton('experiment.test.ts')] as const;
  const names = namesOf(name, texts, []);
  const folders = readdirSync(join(ROOT, EXPERIMENTS), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  const folder = folders.find((each) => each.startsWith(`${section}-`));
  if (folder === undefined) {
    throw new Error(
      `Expected a section of the paper, one of ${folders.map((each) => each[0]).join(', ')}, got "${section}".`,
    );
  }
  const index = `${EXPERIMENTS}/index.ts`;
  const own = (text: string) => fill(text, names).replaceAll('__section__', section);
  return {
    what: `the experiment ${name}`,
    files: newFiles({
      [`${EXPERIMENTS}/${folder}/${name}.ts`]: own(texts[0]),
      [`${EXPERIMENTS}/${folder}/${name}.test.ts`]: own(texts[1]),
    }),
    edits: new Map([
      [
        index,
        insert(
          index,
          refuseDuplicate(read(index), names),
          `import { ${names.camel} } from './${folder}/${name}.ts';`,
          `\n  ${names.camel},`,
          '\n];',
        ),
      ],
    ]),
    next: `It compares EMA with PreciseBN for now. Replace that and every TODO, and put it in its place in ${index}.
Try it with:        pnpm paper ${name} --quick
Then commit a run:  pnpm paper ${name} && pnpm paper --report`,
  };
}
