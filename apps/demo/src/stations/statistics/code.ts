export const CODE = {
  install: 'npm install @rebatch/recalibrate @tensorflow/tfjs-core @tensorflow/tfjs-layers',
  text: `import { recalibrate } from '@rebatch/recalibrate';

// After training, with the weights as they are: statistics of 1,000 training samples.
const report = await recalibrate(model, batches, { samples: 1000 });
console.log(report.layers);`,
};
