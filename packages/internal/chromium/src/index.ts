// The browser that tests run in: one that is there. None is downloaded; .ci/run installs Debian's where it may.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** What a person or a machine without a browser is told. */
export const CHROMIUM_ADVICE = 'install it (apt-get install chromium) or set REBATCH_CHROMIUM to its path';

/** SwiftShader gives WebGPU and WebGL to machines without a GPU. */
export const CHROMIUM_ARGUMENTS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
];

/** REBATCH_CHROMIUM, an installed one, or the one that Playwright has downloaded before. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = [
    process.env.REBATCH_CHROMIUM,
    ...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))),
    chromium.executablePath(),
  ];
  return candidates.find((path) => {
    try {
      if (path) accessSync(path, constants.X_OK);
      return Boolean(path);
    } catch {
      return false;
    }
  });
}
