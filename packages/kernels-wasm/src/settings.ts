// How the kernels compute, where there is a choice. It holds for all backends, from the next call of a kernel on.
import { checkOptions, flag, type OptionRules } from '@rebatch/stats/~internal';
import { KernelSettingsError } from './errors.ts';
import { relaxedSimdSupported } from './module.ts';

export interface WasmKernelSettings {
  /**
   * Multiply-adds that round once, where the machine has them (relaxed SIMD): faster, and a little more exact. Default:
   * where there are any. Set it to false where results must agree, bit by bit, with those of machines that have none.
   */
  readonly relaxedSimd: boolean;
  /**
   * Winograd's algorithm for 3x3 convolutions with stride 1 and for their gradients, where it is faster. Default: true.
   * It rounds more (see the README), and where a value is not finite, so are its neighbors' results.
   */
  readonly winograd: boolean;
}

const RULES: OptionRules<Partial<WasmKernelSettings>> = { relaxedSimd: flag, winograd: flag };

let chosen: Partial<WasmKernelSettings> = {};
let supported: boolean | undefined;

/** The settings in use. */
export function wasmKernelSettings(): WasmKernelSettings {
  supported ??= relaxedSimdSupported();
  return { relaxedSimd: chosen.relaxedSimd ?? supported, winograd: chosen.winograd ?? true };
}

/**
 * Changes settings; those that are not named stay as they are.
 *
 * @returns the settings that are now in use.
 * @throws {KernelSettingsError} for an unknown setting, and if relaxed SIMD is asked for where there is none; nothing
 *   has changed then.
 */
export function configureWasmKernels(settings: Partial<WasmKernelSettings>): WasmKernelSettings {
  checkOptions('configureWasmKernels', settings, RULES, KernelSettingsError);
  if (settings.relaxedSimd && !relaxedSimdSupported()) {
    throw new KernelSettingsError(
      'configureWasmKernels: expected a machine with relaxed SIMD for relaxedSimd: true, got one without. Leave the ' +
        'setting out, or run Node 22 or later, or Node 20 with --experimental-wasm-relaxed-simd.',
    );
  }
  chosen = { ...chosen, ...settings };
  return wasmKernelSettings();
}
