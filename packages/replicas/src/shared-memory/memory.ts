// What the replicas of a group share: one block of memory, and where things lie in it.
import { GroupError } from '@rebatch/leakage';
import {
  checkOptions,
  either,
  finite,
  integer,
  type OptionRules,
  oneOf,
  type Rule,
  required,
} from '@rebatch/stats/~internal';

/** How a group of replicas on several threads is set up. */
export interface GroupOptions {
  /** How many replicas there are: 1 to 126. */
  readonly size: number;
  /** What errors call the replicas; default their numbers. */
  readonly names?: readonly string[];
  /** How long a replica waits for the others, in milliseconds, before it ends the work of all. Default 60,000. */
  readonly timeoutMs?: number;
  /** How many values a replica passes on at a time; longer arrays take several rounds. Default 65,536. */
  readonly capacity?: number;
}

/** The shared memory of a group. Post it to the workers as it is: it can be cloned, and its buffer stays shared. */
export interface GroupMemory extends Required<GroupOptions> {
  readonly buffer: SharedArrayBuffer;
}

/** Who ends the work of a group is kept in 7 bits, so that one word holds that and how far the group has come. */
export const MOST = 126;
const HEADER = 2;
const NOTE_HEAD = 3;
/** Bytes of an error's message that the others get to see. */
const NOTE_TEXT = 1024;
const NOTE = NOTE_HEAD + NOTE_TEXT / 4;

/** What replicas are called. */
export const NAMES: Rule = {
  expected: ['a list of names'],
  allows: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
};
/** Milliseconds to wait. */
export const TIMEOUT: Rule = either(finite({ above: 0 }), oneOf(Number.POSITIVE_INFINITY));

const RULES: OptionRules<GroupOptions> = {
  size: required(integer({ least: 1, most: MOST })),
  names: NAMES,
  timeoutMs: TIMEOUT,
  capacity: integer({ least: 1 }),
};

/**
 * Memory for a group of replicas on several threads.
 *
 * @throws {GroupError} of `@rebatch/leakage`, for options that cannot work, or where there is no shared memory.
 */
export function createGroupMemory(options: GroupOptions): GroupMemory {
  checkOptions('createGroupMemory', options, RULES, GroupError);
  const { size, timeoutMs = 60_000, capacity = 65_536 } = options;
  const names = options.names ?? Array.from({ length: size }, (_, rank) => String(rank));
  if (names.length !== size) {
    throw new GroupError(`createGroupMemory: expected ${size} names, one per replica, got ${names.length}.`);
  }
  if (typeof SharedArrayBuffer !== 'function') {
    throw new GroupError(
      'createGroupMemory: there is no SharedArrayBuffer. In a browser, the page must be cross-origin isolated: serve it ' +
        'with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    );
  }
  const { bytes } = layout(size, capacity);
  return { buffer: new SharedArrayBuffer(bytes), size, names: [...names], timeoutMs, capacity };
}

/** The parts of a group's memory, as views, and where in `words` things lie. */
export interface GroupViews {
  readonly words: Int32Array;
  /** Goes up whenever something happened; who waits, waits for this word. */
  readonly ticket: number;
  /** Steps that are committed (24 bits), and who ended the work of the group, if any (7 bits). */
  readonly decision: number;
  /** The round that a replica has arrived at. */
  arrived(rank: number): number;
  /** What a replica has come to a round of this parity for, and how many values it adds up in all. */
  header(parity: number, rank: number): number;
  /** Why this author, a rank or `size` for the coordinator, ended it all: who is to blame, how, and a text. */
  note(author: number): { readonly at: number; readonly text: Uint8Array };
  /** The values that a replica contributes to a round of this parity. */
  contribution(parity: number, rank: number): Float64Array;
}

/** Views of a group's memory. Everything starts out as zeros. */
export function viewsOf({ buffer, size, capacity }: GroupMemory): GroupViews {
  const { arrived, headers, notes, values } = layout(size, capacity);
  return {
    words: new Int32Array(buffer, 0, values / 4),
    ticket: 0,
    decision: 1,
    arrived: (rank) => arrived + rank,
    header: (parity, rank) => headers + (parity * size + rank) * HEADER,
    note: (author) => {
      const at = notes + author * NOTE;
      return { at, text: new Uint8Array(buffer, (at + NOTE_HEAD) * 4, NOTE_TEXT) };
    },
    contribution: (parity, rank) =>
      new Float64Array(buffer, values + (parity * size + rank) * capacity * 8, capacity),
  };
}

/** Offsets in words of 4 bytes, but for `values` and `bytes`, which are in bytes. */
function layout(size: number, capacity: number) {
  const arrived = 2;
  const headers = arrived + size;
  const notes = headers + 2 * size * HEADER;
  const values = Math.ceil(((notes + (size + 1) * NOTE) * 4) / 8) * 8;
  return { arrived, headers, notes, values, bytes: values + 2 * size * capacity * 8 };
}
