import './kept-pages.css';
import { createPortal, lazy, Suspense } from 'preact/compat';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { STATIONS } from '../stations/index.ts';
import { CurrentStation, type Station } from '../stations/station.ts';
import { ErrorBoundary } from './error-boundary.tsx';

const PAGES = new Map(STATIONS.map(({ name, page }) => [name, lazy(page)]));

/**
 * The page of a station, and those of stations that were looked at before: they go on out of sight, with all that they
 * know and do, each in an element of its own that is put in place when it is shown.
 */
export function KeptPages({ current }: { readonly current: Station | undefined }) {
  const place = useRef<HTMLDivElement>(null);
  const kept = useRef(new Map<Station, HTMLElement>());
  if (current !== undefined && !kept.current.has(current)) {
    const element = document.createElement('div');
    element.className = 'kept-page';
    kept.current.set(current, element);
  }
  const shown = current && kept.current.get(current);
  useLayoutEffect(() => place.current?.replaceChildren(...(shown === undefined ? [] : [shown])), [shown]);
  return (
    <>
      <div class="kept-place" hidden={shown === undefined} ref={place} />
      {[...kept.current].map(([station, element]) =>
        createPortal(<KeptPage key={station.name} station={station} />, element),
      )}
    </>
  );
}

function KeptPage({ station }: { readonly station: Station }) {
  const StationPage = PAGES.get(station.name) as NonNullable<ReturnType<(typeof PAGES)['get']>>;
  return (
    <ErrorBoundary>
      <CurrentStation.Provider value={station}>
        <Suspense fallback={<p role="status">Loading the chapter…</p>}>
          <StationPage />
        </Suspense>
      </CurrentStation.Provider>
    </ErrorBoundary>
  );
}
