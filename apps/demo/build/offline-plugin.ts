// The service worker, with a list of the files of its build. A browser notices a new build by it.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Plugin } from 'vite';

const FILE = 'service-worker.js';

/** Emits `service-worker.js`: src/offline/service-worker.ts, which is told what to keep. */
export function offlinePlugin(): Plugin {
  let publicFolder = '';
  return {
    name: 'rebatch-offline',
    apply: 'build',
    enforce: 'post',
    configResolved({ publicDir }) {
      publicFolder = publicDir;
    },
    buildStart() {
      this.emitFile({ type: 'chunk', id: 'src/offline/service-worker.ts', fileName: FILE });
    },
    generateBundle: {
      order: 'post',
      async handler(_, bundle) {
        const worker = bundle[FILE];
        if (worker?.type !== 'chunk' || worker.imports.length > 0) {
          this.error(`${FILE} has to be one script without imports: not all browsers have modules there.`);
        }
        const built = Object.values(bundle)
          .filter(({ fileName }) => fileName !== FILE && !fileName.endsWith('.map'))
          .map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source] as const);
        const files = [...built, ...(await filesIn(publicFolder))].sort(([a], [b]) => (a < b ? -1 : 1));
        const digest = createHash('sha256').update(worker.code);
        for (const [name, content] of files) digest.update(`\n${name}\n`).update(content);
        // By the address that people open: some hosts lead from `index.html` to it.
        const names = files.map(([name]) => (name === 'index.html' ? './' : name));
        const build = { version: digest.digest('hex').slice(0, 16), files: names };
        worker.code = `const BUILD = ${JSON.stringify(build)};\n${worker.code}`;
      },
    },
  };
}

async function filesIn(folder: string): Promise<[string, Uint8Array][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [relative(folder, path).split(sep).join('/'), await readFile(path)] as [string, Uint8Array];
      }),
  );
}
