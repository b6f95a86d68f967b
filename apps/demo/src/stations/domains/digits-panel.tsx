import { Bars } from '../../ui/bars.tsx';
import { Digit } from '../../ui/digit.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { Stat, Stats } from '../../ui/stat.tsx';
import { DIGIT, EVALUATED, SHOWN } from './settings.ts';
import type { Domains } from './use-domains.ts';

const NOTHING = new Uint8Array(DIGIT);
export const CLASSES = [...'0123456789'];

/** The digits as the model gets them, and how many of them it reads. */
export function DigitsPanel({ domains }: { readonly domains: Domains }) {
  const { shown, sight, present, clean } = domains;
  return (
    <Panel title="The digits, and how many the model reads correctly">
      <ul class="digit-row" aria-label="Some of the digits">
        {Array.from({ length: SHOWN }, (_, at) => (
          <Shown
            key={at}
            pixels={shown.value?.images.subarray(at * DIGIT, (at + 1) * DIGIT) ?? NOTHING}
            label={shown.value?.labels[at]}
            read={present.value?.score.shown[at]}
          />
        ))}
      </ul>
      <Stats>
        <Stat name="Clean digits" color="clean" value={percent(clean.value?.score.accuracy)} />
        <Stat name="These, before adapting" color="bad" value={percent(sight.value?.source.score.accuracy)} />
        <Stat name="These, now" color="precise" value={percent(present.value?.score.accuracy)} />
      </Stats>
      <p class="field-hint">
        Accuracy on {EVALUATED} test digits. Only means and variances change, never the weights.
      </p>
      {/* A line of its own: its length changes, and nothing else may move. */}
      <p class="field-hint">
        Statistics in use: <strong>{present.value?.name ?? '–'}</strong>
      </p>
      <Bars
        title="Accuracy by digit"
        labels={CLASSES}
        series={[
          { text: 'Before', color: 'bad', values: sight.value?.source.score.perClass },
          { text: 'Now', color: 'precise', values: present.value?.score.perClass },
        ]}
      />
    </Panel>
  );
}

function Shown({
  pixels,
  label,
  read,
}: {
  readonly pixels: Uint8Array;
  readonly label: number | undefined;
  readonly read: number | undefined;
}) {
  const right = label === read;
  const verdict = read === undefined ? 'not read yet' : `read as ${read}, ${right ? 'right' : 'wrong'}`;
  return (
    <li>
      <Digit
        pixels={pixels}
        label={label === undefined ? 'No digit yet' : `A ${label}, ${verdict}`}
        size={42}
      />
      <span class="digit-read" data-right={read === undefined ? undefined : right} aria-hidden="true">
        {read === undefined ? '–' : `${read} ${right ? '✓' : '✗'}`}
      </span>
    </li>
  );
}
