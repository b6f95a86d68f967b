export const CODE = {
  install:
    'npm install @rebatch/leakage @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-wasm',
  text: `import { auditLeakage, convertToSync, formatLeakage, ghostBatchNormalization, shuffled } from '@rebatch/leakage';

// Does it cheat? groupOf: what the samples of a normalization batch had in common.
const report = await auditLeakage(model, { xs, ys }, { groupOf: labels });
console.log(formatLeakage(report));

// Then mix what is normalized together. One of:
ghostBatchNormalization({ groups: 8, assign: 'strided' }); // a layer
shuffled(block, { groups: 8 }); // around a block of layers
convertToSync(model); // over all replicas, for trainReplicas of @rebatch/replicas`,
};
