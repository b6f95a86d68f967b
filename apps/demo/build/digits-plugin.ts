// The digits that ship with the page: slices of MNIST, cut when it is built.

import { gzipSync } from 'node:zlib';
import { firstDigits, loadDigits } from '@rebatch/digits';
import type { LabeledImages } from '@rebatch/images';
import type { Plugin } from 'vite';
import { DIGIT_FILES } from '../src/data/files.ts';

/** Serves and emits the files of {@link DIGIT_FILES}: labels first, then pixels, all of it compressed. */
export function digitsPlugin(): Plugin {
  return {
    name: 'rebatch-digits',
    async generateBundle() {
      for (const [which, { path, size }] of Object.entries(DIGIT_FILES)) {
        this.emitFile({ type: 'asset', fileName: path, source: await pack(which, size) });
      }
    },
    configureServer({ middlewares }) {
      middlewares.use(async (request, response, next) => {
        const file = Object.entries(DIGIT_FILES).find(([, { path }]) => request.url === `/${path}`);
        if (file === undefined) return next();
        response.setHeader('Content-Type', 'application/octet-stream');
        response.end(await pack(file[0], file[1].size));
      });
    },
  };
}

async function pack(which: string, size: number): Promise<Uint8Array> {
  const digits: LabeledImages = firstDigits(await loadDigits(which === 'train' ? 'train' : 't10k'), size);
  return gzipSync(Buffer.concat([digits.labels, digits.images]));
}
