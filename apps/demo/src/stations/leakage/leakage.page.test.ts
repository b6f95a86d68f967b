import { expect, test } from 'vitest';
import { openPage } from '../../testing/open-page.ts';

test('a model cheats, which pays, and is caught; mixing the groups repairs it', async () => {
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

  const conclusion = page.getByRole('region', { name: 'What you just saw' });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(step).toBeGreaterThanOrEqual(192);
  await page.getByRole('button', { name: 'Audit it now' }).click();
  const verdict = page.locator('.notice');
  await expect.poll(() => verdict.textContent()).toMatch(/^It cheats\. .*\(p = 0\.01\)/);
  expect(await page.locator('.meters', { hasText: 'BN 4' }).textContent()).toMatch(/BN 1\d+%.*BN 4\d+%/);
  // It pays where the network trains, and fails where it runs.
  const [company, alone] = [await percent('Validation, mini-batch'), await percent('Validation, population')];
  expect(alone - company).toBeGreaterThan(8);
  await expect.poll(() => conclusion.textContent()).toMatch(/It reads the label off its neighbours\.$/);

  await page.getByRole('radio', { name: 'Ghost' }).check();
  await expect.poll(() => groups.first().getAttribute('aria-label')).toMatch(/16 digits, [4-9] classes/);
  await expect
    .poll(async () => (await percent('Validation, population')) - (await percent('Validation, mini-batch')))
    .toBeLessThan(4);
  expect(await lab.axe()).toEqual([]);
  await expect
    .poll(() => conclusion.textContent())
    .toMatch(/^Since the change to Ghost groups, .* has fallen/);

  // From the start there is nothing to learn to cheat by. Trained to its end, it is audited by itself.
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Train again' }).click();
  await expect.poll(() => verdict.textContent(), { timeout: 120_000 }).toMatch(/^No leak found\./);
  await expect.poll(() => conclusion.textContent()).toMatch(/with Ghost groups there is nothing to read/);
  expect(await page.getByRole('row', { name: /^None → Ghost/ }).textContent()).toMatch('leak');
  expect(await page.getByRole('row', { name: /^Ghost/ }).textContent()).toMatch('no leak found');
  await page.getByRole('radio', { name: 'Sync' }).check();
  expect(await groups.count()).toBe(1);
  await lab.close();
});
