import { defineConfig } from 'vite';
import { budgetPlugin } from './build/budget-plugin.ts';
import { digitsPlugin } from './build/digits-plugin.ts';
import { ISOLATION } from './build/headers.ts';
import { offlinePlugin } from './build/offline-plugin.ts';
import { policyPlugin } from './build/policy-plugin.ts';
import { resultsPlugin } from './build/results-plugin.ts';
import { servePlugin } from './build/serve-plugin.ts';

export default defineConfig({
  // Works below any path of a static host.
  base: './',
  plugins: [digitsPlugin(), resultsPlugin(), policyPlugin(), offlinePlugin(), budgetPlugin(), servePlugin()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { headers: ISOLATION },
});
