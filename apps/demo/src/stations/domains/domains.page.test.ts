import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHROMIUM_ARGUMENTS } from '@rebatch/chromium';
import { loadDigits } from '@rebatch/digits';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { type OpenPage, openPage } from '../../testing/open-page.ts';
import { DIGIT } from './settings.ts';

const open = () => openPage({ path: '#/domains', device: 'wasm' });

/** The number of a stat, in percent. */
async function stat(page: Page, name: string): Promise<number> {
  const value = page.locator('.stat', { hasText: name }).locator('dd');
  await value.getByText('%').waitFor();
  return Number.parseFloat((await value.textContent()) as string);
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function adapt(page: Page, samples: number): Promise<void> {
  await button(page, 'Adapt').click();
  await page.locator('strong', { hasText: `, ${samples} samples` }).waitFor({ timeout: 90_000 });
  await expect.poll(() => button(page, 'Adapt').isEnabled()).toBe(true);
}

async function fewSamples({ page }: OpenPage): Promise<void> {
  const slider = page.getByRole('slider', { name: 'Samples to adapt to' });
  await slider.focus();
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowLeft');
  expect(await slider.getAttribute('aria-valuetext')).toBe('16');
}

test('a model that a domain broke is repaired by a few samples, and switches between stored domains', async () => {
  const lab = await open();
  const { page } = lab;
  const clean = await stat(page, 'Clean digits');
  const before = await stat(page, 'before adapting');
  expect(clean).toBeGreaterThan(97);
  expect(before).toBeLessThan(40);
  expect(await stat(page, 'now')).toBe(before);
  await fewSamples(lab);
  await adapt(page, 16);
  const after = await stat(page, 'now');
  expect(after).toBeGreaterThan(80);
  const layers = page.getByRole('img', { name: /^BN \d\. Clean: mean/ });
  expect(await layers.count()).toBe(3);

  await page.getByRole('textbox', { name: 'Name' }).fill('flat');
  await button(page, 'Store these statistics').click();
  const stored = page.getByRole('list', { name: 'Stored domains' }).getByRole('listitem');
  await expect.poll(() => stored.count()).toBe(2);
  expect(await button(page, 'flat').getAttribute('aria-pressed')).toBe('true');
  const downloading = page.waitForEvent('download');
  await button(page, 'Download all').click();
  const file = await (await downloading).path();
  expect((await readFile(file)).includes('flat')).toBe(true);

  await button(page, 'clean digits').click();
  await expect.poll(() => stat(page, 'now')).toBe(before);
  await button(page, 'Forget flat').click();
  await expect.poll(() => stored.count()).toBe(1);
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByText('Loaded: clean digits, flat.').waitFor();
  await button(page, 'flat').click();
  await expect.poll(() => stat(page, 'now')).toBe(after);

  await page.locator('input[type=file]').setInputFiles({
    name: 'bad.safetensors',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('no'),
  });
  await page.getByRole('alert').waitFor();
  expect(await lab.axe()).toEqual([]);

  // Another severity: back to the source, measured anew.
  await page.getByRole('slider', { name: 'Severity' }).focus();
  await page.keyboard.press('ArrowLeft');
  await page.locator('strong', { hasText: 'clean digits' }).waitFor();
  expect(await stat(page, 'before adapting')).toBeGreaterThan(before);
  await lab.close();
});

test('a digit that is drawn is read, by pointer and by keyboard, under both statistics', async () => {
  const lab = await open();
  const { page } = lab;
  await stat(page, 'now');
  await fewSamples(lab);
  await adapt(page, 16);
  const pad = page.getByRole('application', { name: 'Draw a digit here' });
  await pad.scrollIntoViewIfNeeded();
  const { x, y, width } = (await pad.boundingBox()) as { x: number; y: number; width: number };
  const at = (column: number, row: number) => [x + width * column, y + width * row] as const;
  await page.mouse.move(...at(0.25, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.75, 0.2), { steps: 8 });
  await page.mouse.move(...at(0.45, 0.85), { steps: 8 });
  await page.mouse.up();
  const verdict = page.locator('.seen p');
  await expect.poll(() => verdict.textContent()).toMatch(/Now: a 7/);
  // An adaptation to what was drawn.
  await button(page, 'Keep and draw another').click();
  await button(page, 'Adapt to the kept digits (1)').click();
  await page.locator('strong', { hasText: 'Your handwriting, 1 sample' }).waitFor();

  await button(page, 'Back to the source').click();
  await page.locator('strong', { hasText: 'clean digits' }).waitFor();
  await page.getByRole('switch').click();
  await pad.focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Space');
  for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowDown');
  await expect.poll(() => verdict.textContent()).toMatch(/Original statistics: a 1/);
  await page.keyboard.press('Delete');
  await expect.poll(() => verdict.textContent()).toBe('No digit yet.');
  await lab.close();
});

test('the camera is asked for on click, explained where it is refused, and let go of', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-camera-'));
  const film = join(folder, 'digit.y4m');
  await writeFile(film, filmOfDigit((await loadDigits('t10k')).images.subarray(0, DIGIT)));
  const lab = await openPage({
    path: '#/domains',
    device: 'wasm',
    args: [
      ...CHROMIUM_ARGUMENTS,
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${film}`,
    ],
  });
  const { page } = lab;
  /** All tracks so far, the present one among them. */
  const tracks = () =>
    page.evaluate(() => {
      const { srcObject } = document.querySelector('video') ?? {};
      const kept = globalThis as unknown as { tracks?: Set<MediaStreamTrack> };
      kept.tracks ??= new Set();
      for (const track of (srcObject as MediaStream | null | undefined)?.getTracks() ?? [])
        kept.tracks.add(track);
      return [...kept.tracks].map(({ readyState }) => readyState);
    });

  await stat(page, 'now');
  await page.getByRole('radio', { name: 'Camera' }).check({ force: true });
  await page.getByText('The camera is off').waitFor();
  await button(page, 'Start the camera').click();
  await page.getByText('The browser does not let this page see the camera.').waitFor();
  expect(await lab.axe()).toEqual([]);

  await page.context().grantPermissions(['camera']);
  expect(await tracks()).toEqual([]);
  await button(page, 'Start the camera').click();
  const verdict = page.locator('.seen p');
  await expect.poll(() => verdict.textContent()).toMatch(/Now: a/);
  expect(await tracks()).toEqual(['live']);
  await fewSamples(lab);
  await button(page, 'Adapt to the next 16 pictures').click();
  await page.locator('strong', { hasText: 'Camera, 16 samples' }).waitFor();
  await expect.poll(() => verdict.textContent()).toMatch(/Now: a 7/);
  await button(page, 'Stop the camera').click();
  expect(await tracks()).toEqual(['ended']);
  await button(page, 'Start the camera').click();
  await expect.poll(tracks).toEqual(['ended', 'live']);
  await page.getByRole('link', { name: 'Statistics', exact: true }).click();
  await expect.poll(tracks).toEqual(['ended', 'ended']);
  await lab.close();
  await rm(folder, { recursive: true });
});

/** A film in YUV4MPEG2 of a digit in gray ink on gray paper, held still: what Chromium plays as a camera's picture. */
function filmOfDigit(digit: Uint8Array): Uint8Array {
  const [width, height, cell] = [320, 240, 8];
  const luma = Uint8Array.from({ length: width * height }, (_, at) => {
    const column = Math.floor(((at % width) - (width - 28 * cell) / 2) / cell);
    const row = Math.floor((Math.floor(at / width) - (height - 28 * cell) / 2) / cell);
    const inside = column >= 0 && column < 28 && row >= 0 && row < 28;
    return 190 - (inside ? Math.round(0.5 * (digit[row * 28 + column] as number)) : 0);
  });
  const chroma = new Uint8Array((width * height) / 2).fill(128);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, chroma]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F20:1 Ip C420jpeg\n`), frame, frame]);
}
