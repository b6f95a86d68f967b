// pnpm new estimator: an estimator that works and passes the contract.

import { namesOf } from './names.ts';
import { fill, insert, newFiles, type Plan, read, refuseDuplicate, skeleton } from './plan.ts';

const SRC = 'packages/estimators/src';

export function planEstimator(name: string): Plan {
  const texts = [skeleton('estimator.ts'), skeleton('estimator.test.ts')] as const;
  const names = namesOf(name, texts, ['FromJSON']);
  const [registry, index] = [`${SRC}/registry.ts`, `${SRC}/index.ts`];
  const restore = `${names.camel}FromJSON`;
  return {
    what: `the estimator ${names.camel}`,
    files: newFiles({
      [`${SRC}/${name}.ts`]: fill(texts[0], names),
      [`${SRC}/${name}.test.ts`]: fill(texts[1], names),
      [`.changeset/estimator-${name}.md`]: fill(skeleton('estimator.changeset.md'), names),
    }),
    edits: new Map([
      [
        registry,
        insert(
          registry,
          refuseDuplicate(read(registry), names),
          `import { ${restore} } from './${names.kebab}.ts';`,
          `\n  ['${names.camel}', ${restore}],`,
          '\n]);',
        ),
      ],
      [
        index,
        `${refuseDuplicate(read(index), names)}export { ${names.camel} } from './${names.kebab}.ts';\n`,
      ],
    ]),
    next: `It averages batches for now. Replace the algorithm and every TODO, then add a row to packages/estimators/README.md.
Try it with: pnpm exec vitest run ${name}`,
  };
}
