import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { openPage } from '../../../testing/open-page.ts';

const panel = (page: Page) => page.locator('.panel', { hasText: 'Photographs: what if' });

async function percentOf(page: Page, name: string): Promise<number> {
  const value = panel(page).locator('.stat', { hasText: name }).locator('dd');
  await value.getByText('%').waitFor();
  return Number.parseFloat((await value.textContent()) as string);
}

test('photographs come when they are looked at; a stream of one class misleads, and a reference of it holds', async () => {
  const lab = await openPage({ path: '#/domains' });
  const { page } = lab;
  const fetched: string[] = [];
  page.context().on('request', (request) => fetched.push(new URL(request.url()).pathname));
  await page.locator('.stat', { hasText: 'These, now' }).filter({ hasText: '%' }).waitFor();
  const sheets = () => fetched.filter((path) => path.endsWith('sheet.png')).length;
  expect(sheets()).toBe(0);

  await panel(page).scrollIntoViewIfNeeded();
  const before = await percentOf(page, 'Not adapted');
  const held = await percentOf(page, 'Relative to the same class');
  expect(await percentOf(page, 'Plain')).toBeLessThan(before);
  expect(held).toBeGreaterThan(before + 3);
  expect(sheets()).toBe(1);
  await panel(page)
    .getByText(/Adapted plainly to frogs alone.*fewer than before. Relative to clean frogs/)
    .waitFor();
  const broken = panel(page).getByRole('list', { name: 'Read before, misread after' });
  expect(await broken.getByRole('img').count()).toBeGreaterThan(3);
  expect(await broken.getByRole('img').first().getAttribute('aria-label')).toMatch(
    /^Class (\w+), read as \1 before and as \w+ after$/,
  );
  expect(await lab.axe()).toEqual([]);

  await panel(page).getByLabel('The stream shows').selectOption('all');
  await panel(page)
    .getByText(/Adapted to all ten classes.* points more than before/)
    .waitFor();
  expect(new URL(page.url()).hash).toBe('#/domains?stream=all');
  await panel(page).getByLabel('Photographs').first().selectOption('defocus-blur');
  await panel(page)
    .getByText(/Adapted to all ten classes/)
    .waitFor({ state: 'detached' });
  await panel(page)
    .getByText(/Adapted to all ten classes.* points more than before/)
    .waitFor();
  expect(sheets()).toBe(1);
  await lab.close();
}, 180_000);
