import { STATIONS } from '../stations/index.ts';
import { linkTo } from './route.ts';

export function Home() {
  return (
    <article class="station">
      <header class="station-head">
        <span class="eyebrow">Rethinking “Batch” in BatchNorm, live</span>
        <h1>Which batch a network normalizes over decides whether it works</h1>
        <p>
          Train small networks right here and watch what their batches do to them: how statistics go stale,
          how small batches mislead, how a new domain breaks a model and how little repairs it, and how a
          model cheats through its batch. No server, no sign-up: all of it runs on this machine.
        </p>
      </header>
      <ul class="cards">
        {STATIONS.map(({ name, title, teaser }, at) => (
          <li key={name}>
            <a class="card" href={linkTo(name)}>
              <span class="eyebrow">Station {at + 1}</span>
              <h2>{title}</h2>
              <p>{teaser}</p>
            </a>
          </li>
        ))}
      </ul>
    </article>
  );
}
