// Has the worker read one digit after another, without showing it in the status bar. Of digits that wait, only the latest
// is read.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { runTask, textOf } from '../../lab/lab.ts';
import { useStation } from '../station.ts';
import type { Domain, Reading } from './settings.ts';

export interface Question {
  readonly image: Uint8Array;
  /** What is done to the digit before it is read. */
  readonly domain: Domain;
}

export function useReader() {
  const station = useStation();
  const reading = useSignal<Reading | undefined>(undefined);
  const error = useSignal<string | undefined>(undefined);
  const next = useRef<Question | undefined>(undefined);
  const busy = useRef(false);
  /** Counts the times that answers stopped being of interest. */
  const epoch = useRef(0);

  const work = async () => {
    if (busy.current) return;
    busy.current = true;
    while (next.current !== undefined) {
      const question = next.current;
      next.current = undefined;
      const mine = epoch.current;
      try {
        const task = runTask<Question, undefined, never, Reading>(
          station.name,
          'read',
          question,
          undefined,
          QUIET,
        );
        const found = await task.result;
        if (mine !== epoch.current) continue;
        reading.value = found;
        error.value = undefined;
      } catch (thrown) {
        if (mine === epoch.current) error.value = textOf(thrown);
      }
    }
    busy.current = false;
  };

  useEffect(
    () => () => {
      epoch.current++;
      next.current = undefined;
    },
    [],
  );

  return {
    reading,
    error,
    /** Asks for a reading. While one is under way only the latest of further questions waits. */
    ask(question: Question) {
      next.current = question;
      void work();
    },
    /** Forgets the reading. */
    clear() {
      epoch.current++;
      next.current = undefined;
      reading.value = undefined;
    },
  };
}

const QUIET = { event: () => {}, progress: () => {} };
