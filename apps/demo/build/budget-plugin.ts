import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** What a first visit may load, compressed, data sets and trained weights aside. */
export const BUDGET_BYTES = 1_500_000;
const DATA = /^(data|models|results)\//;
const COMPRESSED = /\.(png|jpg|woff2)$/;

/** Adds up what the page consists of, compressed, and fails a build that is over the budget. */
export function budgetPlugin(): Plugin {
  return {
    name: 'rebatch-budget',
    apply: 'build',
    enforce: 'post',
    writeBundle(_, bundle) {
      const sizes = Object.values(bundle)
        .filter(({ fileName }) => !DATA.test(fileName) && !fileName.endsWith('.map'))
        .map((file) => {
          const content = file.type === 'chunk' ? file.code : file.source;
          const bytes = COMPRESSED.test(file.fileName) ? content.length : gzipSync(content).length;
          return { name: file.fileName, bytes };
        })
        .sort((a, b) => b.bytes - a.bytes);
      const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
      const list = sizes.map(({ name, bytes }) => `  ${(bytes / 1000).toFixed(1).padStart(7)} kB  ${name}`);
      const verdict = `The page is ${(total / 1000).toFixed(0)} kB compressed, of ${BUDGET_BYTES / 1000} kB at most.`;
      if (total > BUDGET_BYTES) this.error(`${verdict}\n${list.join('\n')}`);
      else console.log(verdict);
    },
  };
}
