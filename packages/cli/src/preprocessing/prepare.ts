// From the values of a sample to what a model takes, in float32.
import { DataError } from '../errors.ts';
import type { Preprocessing } from './preprocessing.ts';

/**
 * Writes one sample, (value * scale - mean) / std per channel, into `into` from `at` on.
 *
 * @param values channels last.
 * @param channels of the sample: the size of its last axis.
 * @param moves whether the channels have to be moved to the front, as for pictures in layout nchw.
 */
export type WriteSample = (values: ArrayLike<number>, into: Float32Array, at: number) => void;

/** For samples that stay as they are. */
export const unchanged: WriteSample = (values, into, at) => {
  into.set(values, at);
};

/** @throws {DataError} if there are neither one mean and deviation nor one per channel. */
export function sampleWriter(
  { scale, mean, std }: Pick<Preprocessing, 'scale' | 'mean' | 'std'>,
  channels: number,
  channelsFirst: 'moved' | 'already' | 'no',
): WriteSample {
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values.length === 1 || values.length === channels) continue;
    throw new DataError(
      `--${name}: expected one number, or one for each of the ${channels} channels, got ${values.length}.`,
    );
  }
  const means = perChannel(mean, channels);
  const deviations = perChannel(std, channels);
  const prepared = (value: number, c: number) => (value * scale - means[c]!) / deviations[c]!;
  let bytes: Bytes | undefined;
  const plain = scale === 1 && mean.every((m) => m === 0) && std.every((s) => s === 1);
  return (values, into, at) => {
    const { length } = values;
    if (plain && channelsFirst !== 'moved') {
      unchanged(values, into, at);
      return;
    }
    const pixels = length / channels;
    // How far the next pixel lies, and the next channel.
    const [fromPixel, fromChannel] = channelsFirst === 'already' ? [1, pixels] : [channels, 1];
    const [toPixel, toChannel] = channelsFirst === 'no' ? [channels, 1] : [1, pixels];
    if (values instanceof Uint8Array) {
      bytes ??= new Bytes(channels, prepared);
      if (channels === 3 && channelsFirst === 'no') bytes.writeColors(values, into, at);
      else {
        for (let c = 0; c < channels; c++) {
          bytes.writeChannel(
            ...([values, c * fromChannel, fromPixel, pixels] as const),
            ...([into, at + c * toChannel, toPixel, c] as const),
          );
        }
      }
      return;
    }
    for (let c = 0; c < channels; c++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        const value = values[pixel * fromPixel + c * fromChannel]!;
        into[at + pixel * toPixel + c * toChannel] = prepared(value, c);
      }
    }
  };
}

/** What each byte becomes in each channel: 256 numbers per channel. Loops of their own, for pictures are made of bytes. */
class Bytes {
  readonly #tables: readonly Float32Array[];

  constructor(channels: number, prepared: (byte: number, channel: number) => number) {
    this.#tables = Array.from({ length: channels }, (_, c) =>
      Float32Array.from({ length: 256 }, (_, byte) => prepared(byte, c)),
    );
  }

  /** Three channels that lie side by side: one walk through memory. */
  writeColors(values: Uint8Array, into: Float32Array, at: number): void {
    const [first, second, third] = this.#tables as [Float32Array, Float32Array, Float32Array];
    for (let i = 0; i < values.length; i += 3) {
      into[at + i] = first[values[i]!]!;
      into[at + i + 1] = second[values[i + 1]!]!;
      into[at + i + 2] = third[values[i + 2]!]!;
    }
  }

  writeChannel(
    values: Uint8Array,
    from: number,
    fromPixel: number,
    pixels: number,
    into: Float32Array,
    to: number,
    toPixel: number,
    channel: number,
  ): void {
    const table = this.#tables[channel]!;
    for (let pixel = 0; pixel < pixels; pixel++, from += fromPixel, to += toPixel) {
      into[to] = table[values[from]!]!;
    }
  }
}

const perChannel = (values: readonly number[], channels: number): number[] =>
  Array.from({ length: channels }, (_, c) => (values.length === 1 ? values[0]! : values[c]!));
