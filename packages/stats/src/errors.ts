// The root of every error that Rebatch throws on purpose, so that one `instanceof` tells them from bugs.

/** Base of all Rebatch errors. `name` is the name of the class that was constructed. */
export class RebatchError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Moments, or what was to become moments, that cannot be used: wrong lengths, bad counts, non-finite values. */
export class MomentsError extends RebatchError {}
