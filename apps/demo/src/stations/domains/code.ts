export const CODE = {
  install: 'npm install @rebatch/domains @tensorflow/tfjs-core @tensorflow/tfjs-layers',
  text: `import { adapt, statisticsBank } from '@rebatch/domains';

const bank = statisticsBank(model);
await bank.capture('day');

// A few images of the new domain; nobody has to label them.
await adapt(model, nightImages, { prior: 8 });
await bank.capture('night');

bank.use('day'); // one model, another domain, at once
const file = bank.save(); // a Uint8Array; bank.load(file) brings the domains back`,
};
