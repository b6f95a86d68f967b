import { station, unknown } from './current-station.ts';
import { Header } from './header.tsx';
import { Home } from './home.tsx';
import { KeptPages } from './kept-pages.tsx';
import { Notices } from './notices.tsx';
import { StatusBar } from './status-bar.tsx';

export function App() {
  const current = station.value;
  document.title =
    current === undefined ? 'Rebatch lab: what the batch does' : `${current.question} · Rebatch lab`;
  return (
    <>
      <Header />
      <main class="main" tabIndex={-1}>
        <Notices />
        {unknown.value && (
          <p>
            There is no such chapter. <a href="#/">To the start page</a>
          </p>
        )}
        {!unknown.value && current === undefined && <Home />}
        <KeptPages current={current} />
      </main>
      <StatusBar />
    </>
  );
}
