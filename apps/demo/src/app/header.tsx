import { useEffect, useRef } from 'preact/hooks';
import { STATIONS } from '../stations/index.ts';
import { station } from './current-station.ts';
import { linkTo } from './route.ts';
import { type Theme, theme } from './theme.ts';

export function Header() {
  const nav = useRef<HTMLElement>(null);
  const current = station.value?.name;
  useEffect(() => {
    // On a phone not all of them are in sight.
    const link = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && link)
      nav.current.scrollLeft = link.offsetLeft - (nav.current.clientWidth - link.offsetWidth) / 2;
  }, [current]);
  return (
    <header class="header">
      <a class="brand" href="#/">
        <img src="./icon.svg" width={28} height={28} alt="" />
        Rebatch lab
      </a>
      <nav class="nav" aria-label="Chapters" ref={nav}>
        {STATIONS.map(({ name, short }) => (
          <a key={name} href={linkTo(name)} aria-current={current === name ? 'page' : undefined}>
            {short}
          </a>
        ))}
      </nav>
      <div class="header-tools">
        <label class="visually-hidden" for="theme">
          Colours
        </label>
        <select
          id="theme"
          value={theme.value}
          onChange={(event) => {
            theme.value = event.currentTarget.value as Theme;
          }}
        >
          <option value="auto">Theme: auto</option>
          <option value="light">Theme: light</option>
          <option value="dark">Theme: dark</option>
        </select>
      </div>
    </header>
  );
}
