import type { LabeledImages } from '@rebatch/images';
import { fetchFile } from './fetch-file.ts';
import { DIGIT_FILES } from './files.ts';
import { pageUrl } from './page-url.ts';

const loaded = new Map<keyof typeof DIGIT_FILES, Promise<LabeledImages>>();

/**
 * Digits that ship with the page. They are fetched once.
 *
 * @throws (rejects) if the file cannot be fetched or is not what was built; the next call tries again.
 */
export function loadDigits(which: keyof typeof DIGIT_FILES): Promise<LabeledImages> {
  let digits = loaded.get(which);
  if (digits === undefined) {
    digits = fetchDigits(which);
    loaded.set(which, digits);
    digits.catch(() => loaded.delete(which));
  }
  return digits;
}

async function fetchDigits(which: keyof typeof DIGIT_FILES): Promise<LabeledImages> {
  const { path, size } = DIGIT_FILES[which];
  const packed = await (await fetchFile(pageUrl(path), 'digits')).blob();
  const bytes = await new Response(packed.stream().pipeThrough(new DecompressionStream('gzip'))).bytes();
  if (bytes.length !== size * 785) {
    throw new Error(
      `${path} is not whole: expected ${size * 785} bytes, got ${bytes.length}. Reload the page.`,
    );
  }
  return {
    size,
    shape: [28, 28, 1],
    labels: bytes.subarray(0, size),
    images: bytes.subarray(size),
    classes: 10,
  };
}
