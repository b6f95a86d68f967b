// Samples by their position: what every kind of data gives, in whatever process.

/** A range of positions, `from` up to and without `to`. */
export interface SampleRange {
  readonly from: number;
  readonly to: number;
}

/** How a range is read. */
export interface ReadOptions extends SampleRange {
  /** Positions per batch, from `from` on; the last batch may have fewer. */
  readonly batchSize: number;
  /** Whether labels are read, and have to be some. Default false. */
  readonly labels?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One input of a batch: values of shape [samples, ...]. */
export interface BatchInput {
  /** What they are for the model; whole numbers for int32. */
  readonly dtype: 'float32' | 'int32';
  /** The name that the data has for it; null for data of one input. */
  readonly name: string | null;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A sample that was left out. */
export interface BadSample {
  readonly position: number;
  readonly name: string;
  readonly reason: string;
  /** Where it could be read, but others of its batch could not: the size of the batches that the model takes alone. */
  readonly batchOf?: number | undefined;
}

/** Consecutive samples, as a model takes them. */
export interface SampleBatch extends SampleRange {
  /** Samples in it: fewer than positions where bad ones were left out, and none where all were. */
  readonly count: number;
  /** The positions of its samples. */
  readonly positions: Int32Array;
  readonly inputs: readonly BatchInput[];
  /** Classes, one per sample; null for data without labels, and where they were not asked for. */
  readonly labels: Int32Array | null;
  /** What was left out. */
  readonly bad: readonly BadSample[];
  /** Lets the memory of the inputs' values be written again, once they have been copied and nobody reads them anymore. */
  readonly release?: () => void;
}

/** Data that is open. Samples have positions from 0 on, in an order that is the same wherever the data is opened. */
export interface Data {
  /** How many positions there are; null where only reading to the end tells (a module that exports an iterable). */
  readonly count: number | null;
  /** What classes are called, by class; null where they have no names, or there are no labels. */
  readonly classes: readonly string[] | null;
  /** Whether samples have labels; null where that shows only when they are read. */
  readonly labelled: boolean | null;
  /** The shape of one sample of the first input; null where that shows only when samples are read. */
  readonly sampleShape: readonly number[] | null;
  /** What the sample at a position is called, such as its file's name. */
  nameOf(position: number): string;
  /**
   * Reads a range, batch by batch, decoding the next batch while one is in use. Batches of the same positions are bit by bit
   * the same, whatever range they are part of. Data whose `count` is null is read from its beginning, whatever the range.
   *
   * @throws {DataError} for a sample that cannot be read, unless bad ones are left out. The signal's reason.
   */
  read(options: ReadOptions): AsyncGenerator<SampleBatch, void, undefined>;
  /**
   * A number that tells data apart: a SHA-256 over its description, and over the names and sizes of a folder's files or the
   * bytes of any other file.
   */
  fingerprint(): Promise<string>;
  /** The picture at a position as a small PNG, at most `side` pixels wide and high; undefined for what is no picture. */
  thumbnail(position: number, side: number): Promise<Uint8Array | undefined>;
  /** Gives up what is held open. */
  close(): Promise<void>;
}
