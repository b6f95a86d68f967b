// Bundles a one-line program as an app's bundler would, to see what of a package survives tree shaking.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';

let count = 0;

/** The code that is left of `program` in the project at `dir`, TensorFlow.js and other imports not counted. */
export async function bundle(dir: string, program: string): Promise<string> {
  const entry = join(dir, `bundle-entry-${count++}.js`);
  await writeFile(entry, program);
  const result = await build({
    root: dir,
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry, formats: ['es'], fileName: 'bundle' },
      rollupOptions: { external: /^(@tensorflow\/|fast-check$)/ },
    },
  });
  const outputs = Array.isArray(result) ? result : 'output' in result ? [result] : [];
  const chunks = outputs.flatMap(({ output }) => output).filter((part) => part.type === 'chunk');
  if (chunks.length === 0) throw new Error(`bundling \`${program}\` gave no chunk`);
  // TensorFlow.js does not declare itself free of side effects, so the bare import of it stays; that is not ours.
  return chunks
    .map(({ code }) => code.replaceAll(/import\s*"[^"]+";?/g, ''))
    .join('')
    .trim();
}
