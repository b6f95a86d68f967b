// Stations share one thread: the work of one at a time goes on, and what the visitor asked for last goes first.

interface Waiting {
  /** When it was asked for: the latest goes first. */
  readonly asked: number;
  readonly go: () => void;
}

/** The right to work, from when it is taken until it is given back. */
export interface Turn {
  /** Lets work go first that was asked for later; at a place where it does no harm to what goes on. */
  giveWay(): Promise<void>;
  /** Gives the turn back until `until` resolves, and then asks for it anew. */
  rest(until: Promise<void>): Promise<void>;
  /** Gives the turn back for good. */
  leave(): void;
}

export class Turns {
  #waiting: readonly Waiting[] = [];
  #taken = false;
  #asked = 0;

  /** Asks for a turn. @throws (rejects) with the signal's reason once it is aborted; so do the turn's methods. */
  async take(signal: AbortSignal): Promise<Turn> {
    let asked = ++this.#asked;
    await this.#wait(asked, signal);
    let mine = true;
    const leave = () => {
      if (mine) this.#next();
      mine = false;
    };
    const back = async () => {
      await this.#wait(asked, signal);
      mine = true;
    };
    return {
      leave,
      giveWay: async () => {
        if (!this.#waiting.some((other) => other.asked > asked)) return;
        leave();
        await back();
      },
      rest: async (until) => {
        leave();
        await until;
        asked = ++this.#asked;
        await back();
      },
    };
  }

  #wait(asked: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#taken) {
      this.#taken = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#remove(one);
        reject(signal.reason);
      };
      const one: Waiting = {
        asked,
        go: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiting = [...this.#waiting, one];
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #remove(one: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== one);
  }

  #next(): void {
    const [first, ...rest] = [...this.#waiting].sort((a, b) => b.asked - a.asked);
    this.#waiting = rest;
    if (first === undefined) this.#taken = false;
    else first.go();
  }
}
