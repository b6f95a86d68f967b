// Reasons why a case is not measured though nothing is wrong with it: this machine lacks what it needs, or the user stops.

/** Thrown by a case that cannot run here; the message says why. The other cases still run. */
export class NotMeasuredError extends Error {
  override readonly name = 'NotMeasuredError';
}

/** Thrown when the user interrupts; nothing more runs. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
