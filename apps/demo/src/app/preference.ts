import type { DevicePreference } from '../lab/task.ts';

/** The device that the address asks for: `?device=wasm` or `?device=webgpu`, before the `#`. */
export function preferredDevice(): DevicePreference {
  const value = new URLSearchParams(location.search).get('device');
  return value === 'wasm' || value === 'webgpu' ? value : 'auto';
}
