// What the convolutions of the benches' models have in common.

import * as tfl from '@tensorflow/tfjs-layers';

/** For the convolutions of one model, before a normalization: the same weights for the same model, and no bias. */
export function convolutionOptions() {
  let seed = 0;
  return () => ({
    padding: 'same' as const,
    useBias: false,
    kernelInitializer: tfl.initializers.heNormal({ seed: ++seed }),
    depthwiseInitializer: tfl.initializers.heNormal({ seed: ++seed }),
  });
}
