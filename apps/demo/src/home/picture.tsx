import './style.css';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Digit } from '../ui/digit.tsx';
import { Histogram } from '../ui/histogram.tsx';
import { NetworkDrawing } from './network-drawing.tsx';
import { SIZES, useBatches, WATCHED } from './use-batches.ts';

/** Digits of a batch that are shown; of more, these are the first. */
const DIGITS = 4;
const NOTHING = new Uint8Array(784);

/** The idea in one moving picture: a trained network, one batch after another, and what its channels' means make of it. */
export function IdeaPicture() {
  const { known, failed, size, playing, indices, batch, everything, next, choose } = useBatches();
  const look = batch.value;
  const shift = look?.shifts[WATCHED.block]?.[WATCHED.channel];
  const shown = known.value;
  const more = indices.value.length - DIGITS;
  if (failed.value) return null;
  return (
    <figure class="idea" aria-label="Batch after batch through a trained network">
      <div class="idea-part">
        <h2>A batch</h2>
        <div class="idea-digits">
          {Array.from({ length: DIGITS }, (_, at) => {
            const n = indices.value[at];
            const isShown = shown !== undefined && n !== undefined;
            return (
              <div class="idea-digit" data-shown={isShown} key={at}>
                <Digit
                  pixels={isShown ? shown.pixels.subarray(784 * n, 784 * (n + 1)) : NOTHING}
                  label={isShown ? 'A digit of the batch' : 'No digit'}
                  size={44}
                />
              </div>
            );
          })}
        </div>
        <small>{more > 0 ? `and ${more} more` : '\u00a0'}</small>
      </div>
      <div class="idea-part">
        <h2>Its mean in every channel, layer by layer</h2>
        {shown === undefined ? (
          <div class="idea-network" />
        ) : (
          <NetworkDrawing network={shown.network} look={look} watched={WATCHED} />
        )}
        <ul class="legend">
          <li style={{ '--key-color': 'var(--layerwise)' }}>below the stored mean</li>
          <li style={{ '--key-color': 'var(--ema)' }}>above it</li>
        </ul>
      </div>
      <div class="idea-part">
        <h2>The values of one channel</h2>
        <Histogram
          label={
            shift === undefined
              ? 'Nothing has gone through yet'
              : `The values of one channel in this batch; their mean is ${shift.toFixed(2)} standard deviations from the stored one`
          }
          values={look?.histogram}
          color="ema"
          reference={everything.value?.histogram}
          referenceColor="precise"
        />
        <ul class="legend">
          <li style={{ '--key-color': 'var(--ema)' }}>this batch</li>
          <li style={{ '--key-color': 'var(--precise)' }}>all {shown?.looks.length ?? 64} digits</li>
        </ul>
        <p class="idea-number">
          This batch puts its mean off by{' '}
          <output>
            {shift === undefined ? '–' : `${shift < 0 ? '−' : '+'}${Math.abs(shift).toFixed(2)} σ`}
          </output>
        </p>
      </div>
      <figcaption class="idea-controls">
        <Button
          onClick={() => {
            playing.value = !playing.value;
          }}
        >
          {playing.value ? 'Pause' : 'Play'}
        </Button>
        <Button onClick={next}>Next batch</Button>
        <Choices
          label="Digits to a batch"
          options={SIZES.map((value) => ({ value, text: value }))}
          value={size.value}
          onChange={choose}
        />
      </figcaption>
    </figure>
  );
}
