// Which graphics adapter to compute on, and when not to: some machines have one that the processor emulates.

import type { DevicePreference } from './task.ts';

/** What is looked at of an adapter; browsers of different ages tell different parts of it. */
export interface Adapter {
  readonly info?: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly device?: string;
    readonly description?: string;
    readonly isFallbackAdapter?: boolean;
  };
  /** Where it was before it became a part of the info. */
  readonly isFallbackAdapter?: boolean;
}

export interface Graphics {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<Adapter | null>;
}

export interface FoundAdapter {
  /** Its vendor and architecture, as far as they are told. */
  readonly name: string;
  /** Whether the processor emulates it. */
  readonly software: boolean;
}

/** SwiftShader comes with Chromium, llvmpipe and lavapipe with Mesa, WARP (“Microsoft Basic Render Driver”) with Windows. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/**
 * The adapter to compute on, or why it should not be done on any. One in software is for those who ask for WebGPU: it
 * takes about a hundred times as long as WASM.
 *
 * @throws (rejects) what the browser does when it is asked for an adapter.
 */
export async function findAdapter(
  graphics: Graphics | undefined,
  preference: Exclude<DevicePreference, 'wasm'>,
): Promise<FoundAdapter | string> {
  if (graphics === undefined) return 'this browser has no WebGPU';
  const adapter = await graphics.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) return 'there is no graphics adapter for WebGPU';
  const { vendor, architecture } = adapter.info ?? {};
  const name = [vendor, architecture].filter(Boolean).join(' ');
  const software = isSoftware(adapter);
  if (!software || preference === 'webgpu') return { name, software };
  return `WebGPU is emulated in software here${name === '' ? '' : ` (${name})`}, which is far slower`;
}

function isSoftware({ info, isFallbackAdapter }: Adapter): boolean {
  if (isFallbackAdapter === true || info?.isFallbackAdapter === true) return true;
  const { vendor, architecture, device, description } = info ?? {};
  return [vendor, architecture, device, description].some(
    (text) => text !== undefined && SOFTWARE.test(text),
  );
}
