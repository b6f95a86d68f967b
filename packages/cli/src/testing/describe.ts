import type { SampleBatch } from '../data/data.ts';
import type { DataDescription, DataSource } from '../data/description.ts';
import { openData } from '../data/open-data.ts';
import type { Preprocessing } from '../preprocessing/preprocessing.ts';

/** Values as they are, pictures of 2 x 2. */
export const AS_THEY_ARE: Preprocessing = {
  size: [2, 2],
  fit: 'fill',
  color: 'rgb',
  scale: 1,
  mean: [0],
  std: [1],
  layout: 'nhwc',
};

export function describing(
  source: DataSource,
  {
    preprocessing = {},
    ...others
  }: Partial<Omit<DataDescription, 'preprocessing'>> & {
    readonly preprocessing?: Partial<Preprocessing>;
  } = {},
): DataDescription {
  return {
    source,
    preprocessing: { ...AS_THEY_ARE, ...preprocessing },
    shuffle: null,
    skipBad: false,
    maxPixels: 10_000,
    sampleShape: null,
    ...others,
  };
}

/** All batches of a range; the description goes through JSON, as to a worker. */
export async function readAll(
  description: DataDescription,
  { from = 0, to, batchSize = 100 }: { from?: number; to?: number; batchSize?: number } = {},
): Promise<SampleBatch[]> {
  const data = await openData(JSON.parse(JSON.stringify(description)));
  try {
    const batches: SampleBatch[] = [];
    for await (const batch of data.read({ from, to: to ?? data.count ?? 1000, batchSize, labels: true }))
      batches.push(batch);
    return batches;
  } finally {
    await data.close();
  }
}
