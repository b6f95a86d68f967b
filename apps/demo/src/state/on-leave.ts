import { untracked, useSignalEffect } from '@preact/signals';
import { stationName } from '../app/route.ts';
import { useStation } from '../stations/station.ts';

/** Does something whenever the visitor goes from the station of this component to somewhere else. The page is kept. */
export function useOnLeave(act: () => void): void {
  const { name } = useStation();
  useSignalEffect(() => {
    if (stationName.value !== name) untracked(act);
  });
}
