// TensorFlow.js for tests in Node, loaded by `require`. An `import` of a CommonJS file has Node 20 search megabytes for the names
// that it exports, in every test file anew, which takes longer than to load them.

import { createRequire } from 'node:module';
import type { Plugin } from 'vitest/config';

const PACKAGES = /^@tensorflow\/tfjs(-(core|layers|converter|backend-cpu|backend-wasm))?$/;
const MARK = '\0required-tensorflow-';

/** Replaces imports of TensorFlow.js by modules of the same exports, whose names are found once for all tests. */
export function requiredTensorFlow(): Plugin {
  // By their places here: what looks like a file of node_modules would be imported as it is.
  const files: string[] = [];
  return {
    name: 'required-tensorflow',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer === undefined || !PACKAGES.test(source)) return undefined;
      const file = createRequire(importer).resolve(source);
      if (!files.includes(file)) files.push(file);
      return MARK + files.indexOf(file);
    },
    load(id) {
      return id.startsWith(MARK) ? moduleOf(files[Number(id.slice(MARK.length))]!) : undefined;
    },
  };
}

function moduleOf(file: string): string {
  const path = JSON.stringify(file);
  const names = Object.keys(createRequire(file)(file)).filter((name) => name !== 'default');
  return [
    "import { createRequire } from 'node:module';",
    `const all = createRequire(${path})(${path});`,
    'export default all;',
    ...names.map((name, i) => `const _${i} = all[${JSON.stringify(name)}];`),
    `export { ${names.map((name, i) => `_${i} as ${name}`).join(', ')} };`,
  ].join('\n');
}
