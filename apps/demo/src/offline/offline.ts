// Has the browser keep the page, so that it works without a connection: by a service worker, where there are such.

import { signal } from '@preact/signals';

/** Whether the page is kept by now. */
export const worksOffline = signal(false);

/** To be called when there is nothing better to do: it fetches all files of the page. */
export async function keepForOffline(): Promise<void> {
  // Only on https and on this machine; and while developing files change under its hands.
  if (!import.meta.env.PROD || navigator.serviceWorker === undefined) return;
  try {
    await navigator.serviceWorker.register(new URL('service-worker.js', document.baseURI));
    await navigator.serviceWorker.ready;
    worksOffline.value = true;
  } catch {
    // No room, or a browser that forbids it: the page works all the same, with a connection.
  }
}
