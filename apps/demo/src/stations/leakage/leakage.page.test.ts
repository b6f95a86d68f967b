import { expect, test } from 'vitest';
import { openPage } from '../../testing/open-page.ts';

test('a model cheats and is caught; mixing the groups repairs it', async () => {
  const lab = await openPage({ path: '#/leakage' });
  const { page } = lab;
  const stat = (name: string) =>
    page.locator('.stat', { has: page.getByText(name, { exact: true }) }).locator('dd');
  const percent = async (name: string) => Number.parseFloat((await stat(name).textContent()) as string);
  const step = async () =>
    Number(
      /At step (\d+)/.exec(
        (await page.getByRole('img', { name: /^Error by step/ }).getAttribute('aria-label')) as string,
      )?.[1] ?? 0,
    );
  const groups = page.getByRole('img', { name: /^Group \d/ });
  await expect.poll(() => groups.first().getAttribute('aria-label')).toMatch('16 digits, 1 class');
  expect(await groups.count()).toBe(8);

  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(step, { timeout: 60_000 }).toBeGreaterThanOrEqual(176);
  await page.getByRole('button', { name: 'Audit it now' }).click();
  const verdict = page.locator('.notice');
  await expect.poll(() => verdict.textContent(), { timeout: 40_000 }).toMatch(/^It cheats\. .*\(p = 0\.01\)/);
  expect(await page.locator('.meters', { hasText: 'BN 2' }).textContent()).toMatch(/BN 1\d+%BN 2\d+%/);
  expect(await percent('Training error')).toBeLessThan(55);
  expect(await percent('Validation, population')).toBeGreaterThan(65);

  await page.getByRole('radio', { name: 'Ghost' }).check();
  await expect.poll(() => groups.first().getAttribute('aria-label')).toMatch(/16 digits, [4-9] classes/);
  await expect.poll(() => percent('Validation, population'), { timeout: 40_000 }).toBeLessThan(40);
  expect(await lab.axe()).toEqual([]);
  // Trained to its end, it is audited by itself.
  await expect.poll(() => verdict.textContent(), { timeout: 60_000 }).toMatch(/^No leak found\./);
  expect(await page.getByRole('row', { name: /None → Ghost/ }).textContent()).toMatch('no leak found');
  await page.getByRole('radio', { name: 'Sync' }).check();
  expect(await groups.count()).toBe(1);
  await lab.close();
});
