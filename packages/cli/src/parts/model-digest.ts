import { createHash } from 'node:crypto';
import type { OpenedModel } from '@rebatch/files';

/** Tells models apart wherever they lie: a SHA-256 over topology and weights. */
export function modelDigest({ format, artifacts }: Pick<OpenedModel, 'format' | 'artifacts'>): string {
  const { modelTopology, weightSpecs, weightData } = artifacts;
  const hash = createHash('sha256').update(JSON.stringify([format, modelTopology, weightSpecs]));
  for (const part of [weightData ?? []].flat()) hash.update(new Uint8Array(part));
  return hash.digest('hex');
}
