export const CODE = {
  install:
    'npm install @rebatch/layers @rebatch/recalibrate @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-wasm',
  text: `import { batchNormalization } from '@rebatch/layers';
import { freezeStatistics } from '@rebatch/recalibrate';

// A layer of your model: runs of 32 samples are normalized together, whatever the batch size.
batchNormalization({ normalizationBatchSize: 32 });

// The last 5 epochs train on precise statistics that stand still, as the model will run.
await model.fit(x, y, {
  epochs: 25,
  callbacks: [freezeStatistics({ lastEpochs: 5, data: batches, affine: 'trainable' })],
});`,
};
