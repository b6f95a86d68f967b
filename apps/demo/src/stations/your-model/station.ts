import type { StationManifest } from '../station.ts';
import { CODE } from './code.ts';

export const yourModel: StationManifest = {
  name: 'your-model',
  short: 'Your model',
  question: 'What is wrong with your model’s statistics?',
  act: 'Try the example, or drop in a model and some images; then recalibrate.',
  teaser:
    'Drop in a TensorFlow.js model and some images: get a report and advice, repair the model here, and take it home.',
  code: CODE,
  page: () => import('./page.tsx'),
};
