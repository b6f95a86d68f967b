// How the tests make a replica fail: by words in shared memory, which its loss and its optimizer look at.

export const FAULTS = { none: 0, throws: 1, stalls: 2, throwsLate: 3, drifts: 4 } as const;

/** Which fault, how many calls from now, and whether one that stalls may go on. */
const [MODE, COUNTDOWN, RELEASED] = [0, 1, 2];

export const createFaults = () => new SharedArrayBuffer(12);

/** Plants a fault; it shows at the `calls`-th call from now. */
export function plant(faults: SharedArrayBuffer, mode: number, calls: number): void {
  const words = new Int32Array(faults);
  Atomics.store(words, RELEASED, 0);
  Atomics.store(words, COUNTDOWN, calls);
  Atomics.store(words, MODE, mode);
}

/** Takes the fault away, and lets a replica that stalls go on. */
export function heal(faults: SharedArrayBuffer): void {
  const words = new Int32Array(faults);
  Atomics.store(words, MODE, FAULTS.none);
  Atomics.store(words, RELEASED, 1);
  Atomics.notify(words, RELEASED);
}

/** Whether a replica should come to other weights than the others. */
export function drifts(faults: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(faults), MODE) === FAULTS.drifts;
}

/** Called in the replica where a fault may show. */
export function maybeFail(faults: SharedArrayBuffer | undefined, here: readonly number[]): void {
  if (faults === undefined) return;
  const words = new Int32Array(faults);
  const mode = Atomics.load(words, MODE);
  if (!here.includes(mode) || Atomics.sub(words, COUNTDOWN, 1) !== 1) return;
  if (mode !== FAULTS.stalls) throw new RangeError('a fault of the test');
  Atomics.wait(words, RELEASED, 0);
}
