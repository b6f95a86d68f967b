// The site: its pages, and the API that `src/api.ts` has written below `api`.

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const api = fileURLToPath(new URL('../api', import.meta.url));
const packages = existsSync(api)
  ? readdirSync(api, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => ({ text: `@rebatch/${entry.name}`, link: `/api/${entry.name}/` }))
  : [];

export default defineConfig({
  title: 'Rebatch',
  description: 'Batch statistics done right for TensorFlow.js',
  lang: 'en',
  outDir: '../dist/site',
  cacheDir: '../dist/cache',
  // Whoever reads the site from a folder or a plain server gets its pages by their files.
  cleanUrls: false,
  ignoreDeadLinks: false,
  // Descriptions of arrays such as `[samples, 4]` are not meant as HTML.
  markdown: { html: true },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'My model got worse', link: '/worse/' },
      { text: 'I train', link: '/train/' },
      { text: 'From PyTorch', link: '/from/pytorch' },
      { text: 'From Keras', link: '/from/keras' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: {
      '/api/': [{ text: 'Packages', items: packages }],
      '/': [
        {
          text: 'My model got worse',
          items: [
            { text: 'Find out why', link: '/worse/' },
            { text: 'After fine-tuning', link: '/worse/fine-tuning' },
            { text: 'Under a new camera', link: '/worse/new-camera' },
            { text: 'With small batches', link: '/worse/small-batches' },
            { text: 'As a converted graph', link: '/worse/converted-graph' },
          ],
        },
        {
          text: 'I train',
          items: [
            { text: 'Which batch?', link: '/train/' },
            { text: 'The size', link: '/train/size' },
            { text: 'Freezing', link: '/train/freezing' },
            { text: 'Replicas', link: '/train/replicas' },
            { text: 'Leakage', link: '/train/leakage' },
          ],
        },
        {
          text: 'I come from',
          items: [
            { text: 'PyTorch', link: '/from/pytorch' },
            { text: 'Keras', link: '/from/keras' },
          ],
        },
        {
          text: 'Reference',
          items: [
            { text: 'API', link: '/api/' },
            { text: 'Glossary', link: '/glossary' },
            { text: 'Exactness', link: '/exactness' },
          ],
        },
      ],
    },
  },
});
