import { STATIONS } from '../stations/index.ts';
import { linkTo, station } from './route.ts';
import { type Theme, theme } from './theme.ts';

export function Header() {
  return (
    <header class="header">
      <a class="brand" href="#/">
        <img src="./icon.svg" width={28} height={28} alt="" />
        Rebatch lab
      </a>
      <nav class="nav" aria-label="Stations">
        {STATIONS.map(({ name, short }) => (
          <a key={name} href={linkTo(name)} aria-current={station.value?.name === name ? 'page' : undefined}>
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
          <option value="auto">Auto</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </div>
    </header>
  );
}
