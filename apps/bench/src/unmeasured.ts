// What keeps a case from being measured without being wrong: what it needs is not at hand.

/** Thrown by a case that cannot run here; the message says why. The other cases still run. */
export class NotMeasuredError extends Error {
  override readonly name = 'NotMeasuredError';
}

/** Thrown when the user interrupts; nothing more runs. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
