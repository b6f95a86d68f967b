import './photographs.css';
import { useComputed } from '@preact/signals';
import { Button } from '../../../ui/button.tsx';
import { Choices } from '../../../ui/choices.tsx';
import { Conclusion } from '../../../ui/conclusion.tsx';
import { Notice } from '../../../ui/notice.tsx';
import { Panel } from '../../../ui/panel.tsx';
import { percent } from '../../../ui/percent.ts';
import { Picture } from '../../../ui/picture.tsx';
import { Select } from '../../../ui/select.tsx';
import { Slider } from '../../../ui/slider.tsx';
import { Stat, Stats } from '../../../ui/stat.tsx';
import { SEVERITIES } from '../settings.ts';
import { conclusion, nameOf, plural, points } from './conclusion.ts';
import {
  CLASSES,
  CORRUPTIONS,
  type Photographs,
  READ,
  SIDE,
  STREAM_PER_CLASS,
  type Stream,
  WAYS,
} from './settings.ts';
import { usePhotographs } from './use-photographs.ts';

/** Photographs that are shown of the stream, and of those that are read otherwise since. */
const [SHOWN_STREAM, SHOWN_CHANGED] = [12, 8];

const STREAMS: readonly { readonly value: Stream; readonly text: string }[] = [
  { value: 'all', text: 'All ten classes' },
  ...CLASSES.map((name) => ({ value: name, text: `Only ${plural(name)}` })),
];

/** Photographs, adapted to a stream of all classes or of one. */
export function PhotographsPanel() {
  const state = usePhotographs();
  const { corruption, severity, stream, way, shown, readings, task, place } = state;
  const { source } = readings.value;
  const now = readings.value[way.value];
  const said = useComputed(() => conclusion(readings.value, stream.value));
  return (
    <div ref={place}>
      <Panel title="Photographs: what if the stream shows one thing only?">
        <p class="field-hint">
          A small network (ResNet-8) that was trained on clean photographs of ten classes meets others. It is
          adapted to a stream of them without labels, in four ways from the same start, and then reads {READ}{' '}
          photographs of all classes that were not in the stream.
        </p>
        <div class="photograph-controls">
          <Select
            label="Photographs"
            options={CORRUPTIONS}
            value={corruption.value}
            onChange={(value) => {
              corruption.value = value;
            }}
          />
          <Slider
            label="Strength"
            values={SEVERITIES}
            value={severity.value}
            disabled={corruption.value === 'none'}
            onChange={(value) => {
              severity.value = value;
            }}
          />
          <Select
            label="The stream shows"
            options={STREAMS}
            value={stream.value}
            onChange={(value) => {
              stream.value = value;
            }}
          />
        </div>
        {task.error.value !== undefined && (
          <Notice kind="bad">
            <span>{task.error.value}</span>
            <Button small onClick={state.start}>
              Try again
            </Button>
          </Notice>
        )}
        <Gallery
          label="Some of the stream"
          photographs={shown.value?.stream}
          places={Array.from({ length: SHOWN_STREAM }, (_, at) => at)}
          caption={(label) => CLASSES[label] as string}
        />
        <Stats>
          <Stat name="Not adapted" color="bad" value={percent(source?.accuracy)} />
          {WAYS.map(({ value, text }) => {
            const reading = readings.value[value];
            const change = reading && source && points(reading, source);
            return (
              <Stat
                key={value}
                name={text}
                value={percent(reading?.accuracy)}
                {...(value === way.value ? { color: 'precise' as const } : {})}
                {...(change === undefined
                  ? {}
                  : { detail: `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(0)} points` })}
              />
            );
          })}
        </Stats>
        <Conclusion text={said.value} waiting="Reading…" label="What the photographs show" />
        <p class="field-hint">
          Plain: the statistics of the stream, blended with those of the training data, which count for 8
          samples; or for 64. Relative: the statistics move by what differs between the stream and a
          reference, which is what the same network saw on clean photographs: of all classes, or of the class
          that the stream shows. The stream has{' '}
          {stream.value === 'all' ? 10 * STREAM_PER_CLASS : STREAM_PER_CLASS} photographs.
        </p>
        <Choices
          label="See what changes for single photographs"
          options={WAYS}
          value={way.value}
          onChange={(value) => {
            way.value = value;
          }}
        />
        <Changed
          title={`Misread before, read after (${nameOf(way.value)})`}
          photographs={shown.value?.read}
          before={source?.classes}
          after={now?.classes}
          kind="mended"
        />
        <Changed
          title={`Read before, misread after (${nameOf(way.value)})`}
          photographs={shown.value?.read}
          before={source?.classes}
          after={now?.classes}
          kind="broken"
        />
        <p class="field-hint">
          The photographs are from the test set of CIFAR-10 (Krizhevsky 2009), 30 of each class, chosen at
          random.
        </p>
      </Panel>
    </div>
  );
}

function Changed({
  title,
  photographs,
  before,
  after,
  kind,
}: {
  readonly title: string;
  readonly photographs: Photographs | undefined;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
  readonly kind: 'mended' | 'broken';
}) {
  const { labels } = photographs ?? {};
  const places =
    labels === undefined || before === undefined || after === undefined
      ? []
      : [...labels.keys()].filter((at) => {
          const [was, is] = [before[at] === labels[at], after[at] === labels[at]];
          return kind === 'mended' ? !was && is : was && !is;
        });
  return (
    <div class="field">
      <h3>
        {title}: {after === undefined ? '–' : places.length}
      </h3>
      <Gallery
        label={title}
        photographs={photographs}
        places={spread(places, SHOWN_CHANGED)}
        caption={(_, at) => [CLASSES[before?.[at] ?? 0] as string, CLASSES[after?.[at] ?? 0] as string]}
      />
    </div>
  );
}

function Gallery({
  label,
  photographs,
  places,
  caption,
}: {
  readonly label: string;
  readonly photographs: Photographs | undefined;
  readonly places: readonly number[];
  /** What stands below one: a word, or what it was read as before and after. */
  readonly caption: (label: number, at: number) => string | readonly [string, string];
}) {
  return (
    <ul class="photographs" aria-label={label}>
      {photographs !== undefined &&
        places
          .filter((at) => at < photographs.labels.length)
          .map((at) => {
            const truth = photographs.labels[at] as number;
            const said = caption(truth, at);
            const words =
              typeof said === 'string'
                ? `A photograph of class ${said}`
                : `Class ${CLASSES[truth]}, read as ${said[0]} before and as ${said[1]} after`;
            return (
              <li key={at}>
                <Picture pixels={rgbaOf(photographs, at)} height={SIDE} width={SIDE} label={words} />
                {typeof said === 'string' ? (
                  <span aria-hidden="true">{said}</span>
                ) : (
                  <span aria-hidden="true">
                    <span data-right={said[0] === CLASSES[truth]}>{said[0]}</span>
                    <br />→ <span data-right={said[1] === CLASSES[truth]}>{said[1]}</span>
                  </span>
                )}
              </li>
            );
          })}
    </ul>
  );
}

/** So many of them, from all classes: they are in the order of these. */
function spread(places: readonly number[], most: number): number[] {
  const count = Math.min(most, places.length);
  return Array.from({ length: count }, (_, i) => places[Math.floor((i * places.length) / count)] as number);
}

function rgbaOf({ images }: Photographs, at: number): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(4 * SIDE * SIDE).fill(255);
  for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
    const from = 3 * (at * SIDE * SIDE + pixel);
    pixels.set(images.subarray(from, from + 3), 4 * pixel);
  }
  return pixels;
}
