// Settings of a station as signals that the address follows, and that follow the address: of a link that was shared, of the
// browser's back button.

import { batch, computed, effect, type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { query, stationName, writeQuery } from '../app/route.ts';
import { useStation } from '../stations/station.ts';
import { addReader } from './address-problems.ts';
import { readSettings, type Settings, type ValuesOf, writeSettings } from './setting.ts';

export type SignalsOf<S extends Settings> = {
  readonly [Name in keyof S]: Signal<ValuesOf<S>[Name]>;
};

/** Changes of one setting that follow each other within this many milliseconds, as those of a slider, are one act. */
const ONE_ACT_MS = 1_000;

/**
 * Settings of the station whose page the component is on. Set their signals as any others. Several components of a page
 * may each have theirs.
 */
export function useSettings<S extends Settings>(settings: S): SignalsOf<S> {
  const { name } = useStation();
  const bound = useMemo(() => bind(name, settings), []);
  useEffect(() => bound.follow(), []);
  return bound.signals;
}

/** Sets some of the signals at once. */
export function changeAll<T>(
  signals: { readonly [Name in keyof T]: Signal<T[Name]> },
  values: Partial<T>,
): void {
  batch(() => {
    for (const name of Object.keys(values) as (keyof T)[]) signals[name].value = values[name] as T[keyof T];
  });
}

function bind<S extends Settings>(station: string, settings: S) {
  const names = Object.keys(settings);
  const first = readSettings(settings, stationName.peek() === station ? query.peek() : '');
  const signals = Object.fromEntries(
    names.map((name) => [name, signal((first.values as Record<string, unknown>)[name])]),
  );
  const isHere = () => stationName.value === station;
  const valuesNow = () =>
    Object.fromEntries(names.map((name) => [name, signals[name]?.value])) as ValuesOf<S>;
  const problems = computed(() => (isHere() ? readSettings(settings, query.value).problems : []));
  let last = { what: '', at: Number.NEGATIVE_INFINITY };

  return {
    signals: signals as SignalsOf<S>,
    follow() {
      const ends = [
        addReader({ station, names, problems }),
        effect(() => {
          if (!isHere()) return;
          const { values } = readSettings(settings, query.value);
          batch(() => {
            for (const name of names) {
              (signals[name] as Signal<unknown>).value = (values as Record<string, unknown>)[name];
            }
          });
        }),
        effect(() => {
          const values = valuesNow();
          if (stationName.peek() !== station) return;
          const said = readSettings(settings, query.peek()).values as Record<string, unknown>;
          const changed = names.filter((name) => said[name] !== (values as Record<string, unknown>)[name]);
          if (changed.length === 0) return;
          const [what, at] = [changed.join(), performance.now()];
          writeQuery(
            writeSettings(settings, values, query.peek()),
            what === last.what && at - last.at < ONE_ACT_MS,
          );
          last = { what, at };
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
