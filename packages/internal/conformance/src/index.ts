// The suite that core's ops pass on every backend.
import * as tf from '@tensorflow/tfjs-core';
// For its side effect: it registers the gradients of TensorFlow.js's own ops.
import '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { needsBackend } from './backend.ts';
import { fileOf, findFeatures } from './features/find-features.ts';
import { describeBatchNorm } from './suite/batch-norm.ts';
import { describeExactness } from './suite/exactness.ts';
import { describeGroups } from './suite/groups.ts';
import { describeJoint } from './suite/joint.ts';
import { describeKernels } from './suite/kernels.ts';
import { describeMasks } from './suite/masks.ts';
import { describeMovingAverage } from './suite/moving-average.ts';
import { describeParts } from './suite/part.ts';
import { describeRefusals } from './suite/refusals.ts';
import { describeSecondOrder } from './suite/second-order.ts';
import { describeSegmentEdges } from './suite/segment-edges.ts';
import { describeSegments } from './suite/segments.ts';
import { describeSingleValues } from './suite/single-values.ts';

export { needsBackend, selectBackend } from './backend.ts';

/** What a package says about the kernels that it registers. */
export interface ConformanceOptions {
  /** Names of all kernels that it registers for the backend, also of those that take the place of upstream's. */
  readonly kernels?: readonly string[];
  /**
   * Fewer shapes, for a backend that compiles programs for each of them and has no GPU in CI. It is to compose its ops,
   * which are tried on all shapes elsewhere.
   */
  readonly fewer?: boolean;
  /** The folder of the files that FEATURES.md is made of, as seen from the test file. Default: as from packages/x/src. */
  readonly features?: string;
}

/**
 * Declares the suite for the backend that `prepare` selects, with `selectBackend`: with composed ops or with kernels, in
 * Node or in a browser.
 *
 * @param name the backend, and whose kernels are in use: its name in FEATURES.md.
 */
export function describeConformance(
  name: string,
  prepare: () => Promise<unknown>,
  { kernels = [], fewer = false, features = '../../internal/conformance/features' }: ConformanceOptions = {},
): void {
  describe(`@rebatch/core on ${name}`, () => {
    needsBackend(name, async () => {
      await prepare();
      await tf.ready();
    });

    test('is fused, composed and missing what FEATURES.md says, or "pnpm features" has to be run', async () => {
      for (const kernel of kernels) expect(tf.getKernel(kernel, tf.getBackend()), kernel).toBeDefined();
      const found = `${JSON.stringify({ name, ...(await findFeatures(kernels)) }, null, 2)}\n`;
      await expect(found).toMatchFileSnapshot(`${features}/${fileOf(name)}`);
    });

    describeBatchNorm(fewer);
    describeExactness(fewer);
    describeSecondOrder();
    describeKernels();
    describeRefusals(kernels);
    describeSegments(fewer);
    describeSegmentEdges();
    describeGroups();
    describeJoint();
    describeParts();
    describeMasks(fewer);
    describeSingleValues();
    describeMovingAverage();
  });
}
