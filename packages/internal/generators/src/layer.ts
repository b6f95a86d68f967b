// pnpm new layer: a layer that normalizes over another batch, with its test, registered so that saved models load.

import { namesOf } from './names.ts';
import { fill, insert, newFiles, type Plan, read, refuseDuplicate, skeleton } from './plan.ts';

const SRC = 'packages/leakage/src';

export function planLayer(name: string): Plan {
  const texts = [skeleton('layer.ts'), skeleton('layer.test.ts')] as const;
  const names = namesOf(name, texts, ['Config']);
  const [register, index] = [`${SRC}/register.ts`, `${SRC}/index.ts`];
  const { camel, pascal } = names;
  const files = newFiles({
    [`${SRC}/${name}/${name}.ts`]: fill(texts[0], names),
    [`${SRC}/${name}/${name}.test.ts`]: fill(texts[1], names),
    [`.changeset/layer-${name}.md`]: fill(skeleton('layer.changeset.md'), names),
  });
  const text = refuseDuplicate(read(index), names);
  const section = '\n// How replicas reach each other';
  const at = text.indexOf(section);
  if (at < 0) throw new Error(`${index} has no section ${JSON.stringify(section.trim())}; was it rewritten?`);
  const exported = `export { ${camel}, ${pascal}, type ${pascal}Config } from './${name}/${name}.ts';\n`;
  return {
    what: `the layer ${camel}`,
    files,
    edits: new Map([
      [
        register,
        insert(
          register,
          read(register),
          `import { ${pascal} } from './${name}/${name}.ts';`,
          `tf.serialization.registerClass(${pascal});\n`,
          'tf.serialization.registerClass(Shuffled);',
        ),
      ],
      [index, text.slice(0, at) + exported + text.slice(at)],
    ]),
    next: `It normalizes consecutive parts of the batch for now. Replace that and every TODO; CONTRIBUTING.md says what else a
layer answers. Then add it to packages/leakage/src/to-stock.test.ts, to packages/internal/faults/src/faults.test.ts and to
packages/leakage/README.md.
Try it with: pnpm exec vitest run ${name}`,
  };
}
