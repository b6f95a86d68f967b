import type { ByteSource } from '../bytes/byte-source.ts';
import { equalBytes } from '../bytes/equal-bytes.ts';
import type { Limits } from '../limits.ts';
import { applyFilters } from './apply-filters.ts';
import { fillChunk } from './chunks.ts';
import { type Chunk, chunksOf, type Dataset, readChunk, readValues } from './dataset.ts';
import type { Edit } from './edit.ts';

/**
 * Notes in `edit` what gives a dataset other values, which are in the form of `readValues` and as many bytes. They go where
 * the old ones are. A compressed chunk that became longer goes behind the end of the file, and what it was in is left.
 *
 * Throws what `readValues` throws for a dataset whose values cannot be read.
 */
export async function writeValues(
  file: ByteSource,
  dataset: Dataset,
  values: Uint8Array,
  limits: Limits,
  edit: Edit,
): Promise<void> {
  const { layout } = dataset;
  if (layout.kind === 'chunked') {
    for (const chunk of await chunksOf(file, dataset, layout, limits)) {
      await writeChunk(file, dataset, chunk, values, edit);
    }
    return;
  }
  // What cannot be read lies nowhere, and what is the same already stays.
  const before = await readValues(file, dataset, limits);
  if (equalBytes(values, before)) return;
  if (layout.kind === 'contiguous') edit.put(layout.address, values);
  else if (layout.checked) await edit.putChecked(layout.checked, layout.at, values);
  else edit.put(layout.at, values);
}

async function writeChunk(
  file: ByteSource,
  dataset: Dataset,
  chunk: Chunk,
  values: Uint8Array,
  edit: Edit,
): Promise<void> {
  const before = await readChunk(file, dataset, chunk);
  // At the array's end a chunk has bytes that are none of the array's: they stay as they are.
  const after = before.slice();
  fillChunk(after, values, chunk.place);
  if (equalBytes(after, before)) return;
  const stored = applyFilters(after, dataset.filters, chunk.mask, dataset.type.size);
  if (stored.length <= chunk.stored) edit.put(chunk.address, stored);
  else edit.putNumber(chunk.addressAt, 8, edit.append(stored));
  if (stored.length !== chunk.stored) edit.putNumber(chunk.keyAt, 4, stored.length);
}
