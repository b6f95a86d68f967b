import { useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { Bars } from '../../ui/bars.tsx';
import { Button } from '../../ui/button.tsx';
import { Choices } from '../../ui/choices.tsx';
import { Digit } from '../../ui/digit.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Switch } from '../../ui/switch.tsx';
import { CameraView } from './camera-view.tsx';
import { CLASSES } from './digits-panel.tsx';
import { DrawingPad } from './drawing-pad.tsx';
import { DIGIT, type Domain } from './settings.ts';
import { type Domains, nameOf } from './use-domains.ts';
import { useReader } from './use-reader.ts';

const CLEAN: Domain = { corruption: 'none', severity: 1 };
const NOTHING = new Uint8Array(DIGIT);

/** A digit of the visitor's own, drawn or held up to the camera, as the model reads it. */
export function OwnDigit({ domains }: { readonly domains: Domains }) {
  const from = useSignal<'draw' | 'camera'>('draw');
  const corrupting = useSignal(true);
  const image = useSignal<Uint8Array | undefined>(undefined);
  const wiped = useSignal(0);
  const kept = useSignal<readonly Uint8Array[]>([]);
  /** Frames that are still to be taken for an adaptation; 0 when none is. */
  const wanted = useSignal(0);
  const frames = useRef<Uint8Array[]>([]);
  const reader = useReader();

  // Reads again when the digit, what is done to it, or the statistics have changed.
  useSignalEffect(() => {
    const [own, at] = [image.value, domains.present.value];
    const domain = from.value === 'draw' && corrupting.value ? domains.domain.value : CLEAN;
    if (own === undefined || at === undefined) reader.clear();
    else reader.ask({ image: own, domain });
  });

  const choose = (value: 'draw' | 'camera') => {
    from.value = value;
    image.value = undefined;
    kept.value = [];
    wanted.value = 0;
  };
  const keep = () => {
    if (image.value === undefined) return;
    kept.value = [...kept.value, image.value];
    wiped.value++;
  };
  const onFrame = (digit: Uint8Array) => {
    image.value = digit;
    if (wanted.value === 0) return;
    frames.current.push(digit);
    wanted.value--;
    if (wanted.value === 0) domains.adaptTo('Camera', joined(frames.current));
  };
  const collect = () => {
    frames.current = [];
    wanted.value = domains.samples.value;
  };
  const read = reader.reading.value;
  const ready = domains.sight.value !== undefined;
  const source = from.value;
  return (
    <Panel title="Your own digit">
      <Choices
        label="Where it comes from"
        options={[
          { value: 'draw', text: 'Draw it' },
          { value: 'camera', text: 'Camera' },
        ]}
        value={source}
        onChange={choose}
      />
      {reader.error.value !== undefined && <Notice kind="bad">{reader.error.value}</Notice>}
      <div class="own-digit">
        <div class="stack">
          {source === 'draw' ? (
            <DrawingPad
              onDigit={(digit) => {
                image.value = digit;
              }}
              wiped={wiped.value}
            />
          ) : (
            <CameraView onFrame={onFrame} />
          )}
          {source === 'draw' && (
            <>
              <Switch
                checked={corrupting.value}
                onChange={(checked) => {
                  corrupting.value = checked;
                }}
              >
                Corrupt it like the digits below ({nameOf(domains.domain.value)})
              </Switch>
              <div class="button-row">
                <Button
                  onClick={() => {
                    wiped.value++;
                  }}
                >
                  Wipe
                </Button>
                <Button disabled={image.value === undefined} onClick={keep}>
                  Keep and draw another
                </Button>
                <Button
                  disabled={!ready || kept.value.length === 0}
                  onClick={() => domains.adaptTo('Your handwriting', joined(kept.value))}
                >
                  Adapt to the kept digits ({kept.value.length})
                </Button>
              </div>
            </>
          )}
          {source === 'camera' && (
            <div class="button-row">
              {wanted.value === 0 ? (
                <Button disabled={!ready || image.value === undefined} onClick={collect}>
                  Adapt to the next {domains.samples.value} pictures
                </Button>
              ) : (
                <Button
                  onClick={() => {
                    wanted.value = 0;
                  }}
                >
                  {wanted.value} pictures to go: show several digits. Cancel
                </Button>
              )}
            </div>
          )}
        </div>
        <div class="stack">
          <div class="seen">
            <Digit pixels={read?.seen ?? NOTHING} label="The digit as the model gets it" size={112} />
            <p aria-live="polite">
              {read === undefined ? 'No digit yet.' : verdict(read.source, read.present)}
            </p>
          </div>
          <Bars
            title="How sure the model is"
            labels={CLASSES}
            series={[
              { text: 'Original statistics', color: 'bad', values: read?.source },
              { text: 'Now', color: 'precise', values: read?.present },
            ]}
          />
        </div>
      </div>
    </Panel>
  );
}

function joined(digits: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(digits.length * DIGIT);
  digits.forEach((digit, at) => {
    all.set(digit, at * DIGIT);
  });
  return all;
}

function verdict(source: Float32Array, present: Float32Array): string {
  const [before, now] = [best(source), best(present)];
  return `Original statistics: a ${before.digit} (${before.sure} sure). Now: a ${now.digit} (${now.sure} sure).`;
}

function best(probabilities: Float32Array): { digit: number; sure: string } {
  const most = Math.max(...probabilities);
  return { digit: probabilities.indexOf(most), sure: `${Math.round(100 * most)}%` };
}
