import type { ByteSource } from '../bytes/byte-source.ts';
import { MalformedFileError } from '../errors.ts';

/** Files that belong together: a folder, an address with what lies beside it, or what a visitor chose. */
export interface FileSet {
  /** What messages call it. */
  readonly name: string;
  /** A file by its path relative to the model's, with `/` between names. Throws `FileAccessError` when it is not there. */
  open(path: string): Promise<ByteSource>;
}

/** Opens a file for as long as `use` takes. */
export async function withFile<T>(
  files: FileSet,
  path: string,
  use: (file: ByteSource) => Promise<T>,
): Promise<T> {
  const file = await files.open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/**
 * The path of a weight file as the manifest gives it. Throws `MalformedFileError` for one that leads out of the model's
 * folder: a model from elsewhere has no business with other files.
 */
export function checkPath(path: unknown, model: string): string {
  const parts = typeof path === 'string' ? path.split('/') : [];
  const plain = parts.length > 0 && parts.every((part) => part !== '' && part !== '..');
  if (plain && !(path as string).includes('\0') && !/\\|^[a-z][a-z0-9+.-]*:/i.test(path as string))
    return path as string;
  throw new MalformedFileError(
    `The manifest of ${model} names ${JSON.stringify(path)?.slice(0, 80)} as a weight file, which is not one beside the model.`,
  );
}
