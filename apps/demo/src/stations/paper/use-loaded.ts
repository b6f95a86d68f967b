import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { textOf } from '../../lab/lab.ts';

export interface Loaded<T> {
  readonly value: ReadonlySignal<T | undefined>;
  readonly error: ReadonlySignal<string | undefined>;
  retry(): void;
}

/** What `load` gives, anew for each key. */
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const value = useSignal<T | undefined>(undefined);
  const error = useSignal<string | undefined>(undefined);
  const attempt = useSignal(0);
  useEffect(() => {
    let over = false;
    value.value = undefined;
    error.value = undefined;
    load().then(
      (found) => {
        if (!over) value.value = found;
      },
      (thrown: unknown) => {
        if (!over) error.value = textOf(thrown);
      },
    );
    return () => {
      over = true;
    };
  }, [key, attempt.value]);
  return { value, error, retry: () => attempt.value++ };
}
