// Starts WebGPU in Node, so that TensorFlow.js's WebGPU backend finds what it finds in a browser.
//
// This must happen before that backend is imported: it registers itself only where it sees WebGPU.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InterruptedError, NotMeasuredError } from '../unmeasured.ts';

/** What computes. */
export interface Adapter {
  /** As its driver calls it. */
  readonly name: string;
  /** A program on the processor in the place of a GPU: right, but its speed says nothing. */
  readonly software: boolean;
}

/** The part of npm's `webgpu` that is used. */
interface Dawn {
  create(options: string[]): GPU;
  readonly globals: Record<string, unknown>;
}

interface GPU {
  requestAdapter(options: object): Promise<{ readonly info: AdapterInfo } | null>;
}

interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

let started: Promise<Adapter> | undefined;

/**
 * Puts WebGPU where browsers have it (`navigator.gpu` and its classes), once.
 *
 * The folder of npm's `webgpu` is `REBATCH_DAWN` from the environment, where that is set; else it is fetched.
 *
 * @throws {NotMeasuredError} (rejects) if it is not at hand and can't be fetched, or finds no adapter.
 */
export function startDawn(): Promise<Adapter> {
  started ??= start();
  return started;
}

async function start(): Promise<Adapter> {
  const folder = process.env.REBATCH_DAWN ?? (await fetched());
  let dawn: Dawn;
  try {
    dawn = await import(pathToFileURL(join(folder, 'index.js')).href);
  } catch (error) {
    throw new NotMeasuredError(`WebGPU does not load: ${(error as Error).message}`, { cause: error });
  }
  // Its objects must outlive the last use of any of them: collected earlier, they take the process down.
  const gpu = dawn.create([]);
  // Node 20 has none; later ones say who they are by the same words.
  const missing = { userAgent: `Node.js/${process.versions.node.split('.')[0]}` };
  const { navigator = missing } = globalThis as { navigator?: object };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  Object.assign(globalThis, dawn.globals);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NotMeasuredError('there is no GPU that WebGPU could use: no adapter was found');
  return describeAdapter(adapter.info);
}

async function fetched(): Promise<string> {
  // Loaded on demand, for a packed bench brings its own and lacks what fetches.
  const [{ fetchDawn }, { progressBar }, { interruptible }] = await Promise.all([
    import('./dawn-files.ts'),
    import('@rebatch/npm-files'),
    import('../interruptible.ts'),
  ]);
  try {
    return await interruptible((signal) => fetchDawn({ signal, progress: progressBar() }));
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof NotMeasuredError) throw error;
    throw new NotMeasuredError((error as Error).message, { cause: error });
  }
}

/** Renderers that run on the processor, by parts of their names. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|warp/i;

/** What an adapter says about itself, in short. */
export function describeAdapter(info: AdapterInfo): Adapter {
  const { vendor, architecture, device, description, isFallbackAdapter = false } = info;
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'an unnamed GPU';
  const all = [vendor, architecture, device, description].join(' ');
  return { name, software: isFallbackAdapter || SOFTWARE.test(all) };
}
