import { IdeaPicture } from '../home/picture.tsx';
import { STATIONS } from '../stations/index.ts';
import { linkTo } from './route.ts';

export function Home() {
  const [first] = STATIONS;
  return (
    <article class="station">
      <header class="station-head">
        <span class="eyebrow">Rethinking “Batch” in BatchNorm, live</span>
        <h1>What the batch does</h1>
        <p class="lead">
          Batch normalization shifts and scales each channel by the mean and variance of a batch. Change the
          batch, and you change the network.
        </p>
      </header>
      <IdeaPicture />
      <p class="lead">
        That is a trained network reading handwritten digits, and every batch gives it other statistics. In
        six chapters you train small networks and see what follows from it: stored statistics go stale, small
        batches mislead, a change of inputs breaks a model, and a network learns to cheat. All of it runs on
        this machine. Nothing is sent anywhere.{' '}
        {first !== undefined && <a href={linkTo(first.name)}>Begin with chapter 1</a>}
      </p>
      <ul class="cards">
        {STATIONS.map(({ name, number, short, question, teaser }) => (
          <li key={name}>
            <a class="card" href={linkTo(name)}>
              <span class="eyebrow">
                {number} · {short}
              </span>
              <h2>{question}</h2>
              <p>{teaser}</p>
            </a>
          </li>
        ))}
      </ul>
    </article>
  );
}
