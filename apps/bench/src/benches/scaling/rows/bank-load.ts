// Loading the file of a bank: its bytes have to be hashed once, and its values to be put on the device once.

import { sha256 } from '@noble/hashes/sha2.js';
import { captureStatistics, statisticsBank } from '@rebatch/domains';
import * as tf from '@tensorflow/tfjs-core';
import { buildMobilenet } from '../../../mobilenet.ts';
import type { ScalingRow } from '../scaling-row.ts';

export const bankLoad: ScalingRow = {
  case: 'bank file: load',
  backend: 'wasm',
  sizes: [4, 32, 256],
  unit: 'domains',
  peer: 'its SHA-256, and a tensor per domain',
  target: 1 / 2,
  note: 'The peer reads nothing: not the header, and not whether the values are statistics.',
  options: { budgetMs: 3000 },
  sides: async (domains) => {
    const model = buildMobilenet(32, 0.25);
    const bank = statisticsBank(model);
    const statistics = await captureStatistics(model);
    for (let domain = 0; domain < domains; domain++) {
      const shifted = statistics.map((site) => ({
        ...site,
        mean: Array.from(site.mean, (mean) => mean + domain),
      }));
      bank.set(`domain ${domain}`, shifted);
    }
    const file = bank.save();
    const values = 2 * statistics.reduce((sum, { mean }) => sum + mean.length, 0);
    return {
      ours: { run: () => bank.load(file) },
      peer: {
        run: () => {
          sha256(file);
          for (let domain = 0; domain < domains; domain++) tf.dispose(tf.tensor1d(new Float32Array(values)));
        },
      },
      dispose: () => {
        bank.dispose();
        model.dispose();
      },
    };
  },
};
