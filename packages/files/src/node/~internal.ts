// What sibling packages use of this one, and users don't: it may change in any release.
export type { ByteSource } from '../bytes/byte-source.ts';
export type { RoundedWeight } from '../keras/replace-weights.ts';
export { DEFAULT_LIMITS } from '../limits.ts';
export { ZIP_SIGNATURE, ZipFile } from '../zip/zip-file.ts';
export { diskSource } from './disk-files.ts';
export { replaceAndTell } from './replace-weights.ts';
export { checkParent, checkTarget } from './target.ts';
