import { startLab } from '../lab/lab.ts';
import type { DevicePreference } from '../lab/task.ts';
import { atStake } from '../state/unsaved.ts';

/** The device that the address asks for: `?device=wasm` or `?device=webgpu`, before the `#`. */
export function preferredDevice(): DevicePreference {
  const value = new URLSearchParams(location.search).get('device');
  return value === 'wasm' || value === 'webgpu' ? value : 'auto';
}

const LOSS = 'What is running has to be started again on another device. Change it now?';

/**
 * Goes over to another device, and has the address say so: it is the same when the page is loaded again.
 *
 * @returns false where that would end what runs, and the visitor rather has it go on.
 */
export function preferDevice(wanted: DevicePreference): boolean {
  if (atStake.peek().length > 0 && !confirm(LOSS)) return false;
  const address = new URL(location.href);
  if (wanted === 'auto') address.searchParams.delete('device');
  else address.searchParams.set('device', wanted);
  history.replaceState(history.state, '', address);
  startLab(wanted).catch(() => {
    // The page shows it: see lab/lab.ts.
  });
  return true;
}
