import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { CHROMIUM_ARGUMENTS, findChromium } from '@rebatch/chromium';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, inject } from 'vitest';
import type { DevicePreference } from '../lab/task.ts';

export interface OpenOptions {
  /** Such as `#/statistics`; default the start page. */
  readonly path?: string;
  readonly device?: DevicePreference;
  readonly theme?: 'light' | 'dark';
  /** In CSS pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Whether the visitor lets things move; default false. */
  readonly motion?: boolean;
  /** What the page may do, such as 'camera'. */
  readonly permissions?: readonly string[];
  /** Whether it may keep itself for when there is no connection; default not, so that tests see all that is fetched. */
  readonly offline?: boolean;
  /** Default that of the page that all tests share. */
  readonly url?: string;
  /** Default: the browser's arguments for all tests, with a graphics adapter that is emulated. */
  readonly args?: readonly string[];
}

/** What a check of the page's accessibility found. */
export interface Violation {
  readonly rule: string;
  readonly impact: string;
  readonly where: readonly string[];
}

export interface OpenPage {
  readonly page: Page;
  /** What broke so far: errors in the console, of the policy among them, and requests to elsewhere. */
  readonly faults: string[];
  /** Serious and critical findings of axe. */
  axe(): Promise<Violation[]>;
  /** @throws (rejects) if something broke. */
  close(): Promise<void>;
}

/** Open browsers of this file's tests, by their arguments: to start one takes as long as to open the page. */
const browsers = new Map<string, Promise<Browser>>();
afterAll(async () => {
  for (const browser of browsers.values()) await (await browser).close();
});

/** Opens the page in a context of its own, which shares nothing with others, as a first visit. */
export async function openPage(options: OpenOptions = {}): Promise<OpenPage> {
  const { path = '', device = 'wasm', theme = 'light', permissions = [] } = options;
  const { args = CHROMIUM_ARGUMENTS, width = 1280, height = 900, motion = false } = options;
  const key = args.join(' ');
  if (!browsers.has(key)) browsers.set(key, launch(args));
  const browser = await browsers.get(key)!;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: motion ? 'no-preference' : 'reduce',
    permissions: [...permissions],
    acceptDownloads: true,
    serviceWorkers: options.offline === true ? 'allow' : 'block',
  });
  // As patient as the tests' own polls.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const { url = inject('pageUrl') } = options;
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`page: ${error.message}`));
  context.on('request', (request) => {
    const from = new URL(request.url());
    if (from.origin !== new URL(url).origin && !['blob:', 'data:'].includes(from.protocol)) {
      faults.push(`request: ${request.url()}`);
    }
  });
  await page.goto(`${url}?device=${device}${path}`);
  return {
    page,
    faults,
    axe: () => axe(page),
    async close() {
      await context.close();
      if (faults.length > 0) throw new Error(`The page has faults:\n${faults.join('\n')}`);
    },
  };
}

function launch(args: readonly string[]): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('There is no Chromium to open the page in.');
  return chromium.launch({ executablePath, args: [...args] });
}

async function axe(page: Page): Promise<Violation[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // By the debugger: the page's own policy would not let it in.
  await page.evaluate(source);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
    return (await axe.run()).violations;
  });
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => ({
      rule: id,
      impact: String(impact),
      where: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
    }));
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact?: string | null;
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
  }[];
}
