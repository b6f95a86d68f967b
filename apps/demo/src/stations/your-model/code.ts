export const CODE = {
  install: 'npm install @rebatch/inspect @rebatch/recalibrate @tensorflow/tfjs-core @tensorflow/tfjs-layers',
  text: `import { formatReport, inspect } from '@rebatch/inspect';
import { recalibrate } from '@rebatch/recalibrate';

// Batches as in training: tensors, or { xs, ys } to have errors measured.
const report = await inspect(model, batches, { batchSize: 32 });
console.log(formatReport(report));

await recalibrate(model, batches, { mode: 'layerwise', samples: 1000 });
await model.save('downloads://model');`,
};
