import { render } from 'preact';
import { App } from './app/app.tsx';
import { preferredDevice } from './app/preference.ts';
import { prefetch } from './app/prefetch.ts';
import { followAddress } from './app/route.ts';
import { applyTheme } from './app/theme.ts';
import { startLab } from './lab/lab.ts';
import { keepForOffline } from './offline/offline.ts';
import { askBeforeLoss } from './state/unsaved.ts';

applyTheme();
followAddress();
askBeforeLoss();
render(<App />, document.getElementById('app') as HTMLElement);
startLab(preferredDevice())
  .catch(() => {
    // The page shows it: see lab/lab.ts.
  })
  .then(prefetch)
  .then(keepForOffline);
