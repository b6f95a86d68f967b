import { lazy, Suspense } from 'preact/compat';
import { STATIONS } from '../stations/index.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { Header } from './header.tsx';
import { Home } from './home.tsx';
import { Notices } from './notices.tsx';
import { station, unknown } from './route.ts';
import { StatusBar } from './status-bar.tsx';

const PAGES = new Map(STATIONS.map(({ name, load }) => [name, lazy(load)]));

export function App() {
  return (
    <>
      <Header />
      <main class="main" tabIndex={-1}>
        <Notices />
        <ErrorBoundary key={station.value?.name}>
          <Page />
        </ErrorBoundary>
      </main>
      <StatusBar />
    </>
  );
}

function Page() {
  const current = station.value;
  document.title =
    current === undefined ? 'Rebatch lab: what the batch does' : `${current.title} · Rebatch lab`;
  if (unknown.value) {
    return (
      <p>
        There is no such station. <a href="#/">To the start page</a>
      </p>
    );
  }
  const Station = current === undefined ? undefined : PAGES.get(current.name);
  if (Station === undefined) return <Home />;
  return (
    <Suspense fallback={<p role="status">Loading the station…</p>}>
      <Station />
    </Suspense>
  );
}
