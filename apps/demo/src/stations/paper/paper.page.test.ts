import { readFindings } from '@rebatch/findings/file';
import { expect, test } from 'vitest';
import { openPage } from '../../testing/open-page.ts';

const findings = await readFindings();
const claims = findings.flatMap((finding) => finding.claims);
const hold = claims.filter(({ holds }) => holds).length;

test('all findings are there, with what holds and what does not', async () => {
  const lab = await openPage({ path: '#/paper' });
  const { page } = lab;
  const stat = page.locator('.stat', { hasText: 'Claims that hold here' }).locator('dd');
  await expect.poll(() => stat.textContent()).toBe(`${hold} of ${claims.length}`);
  expect(await page.locator('.findings .mark').count()).toBe(claims.length);
  expect(await page.locator('.findings .mark[data-holds="false"]').count()).toBe(claims.length - hold);

  await page
    .locator('.findings')
    .getByRole('link', { name: 'The normalization batch size', exact: true })
    .click();
  expect(new URL(page.url()).hash).toBe('#/paper/nbs-sweep');
  const chart = page.getByRole('img', { name: /Error against normalization batch/ });
  await chart.locator('svg circle').first().waitFor();
  const sweep = findings.find(({ name }) => name === 'nbs-sweep')!;
  const verdicts = page.locator('.claim');
  expect(await verdicts.filter({ hasText: 'Does not hold here' }).count()).toBe(
    sweep.claims.filter(({ holds }) => !holds).length,
  );
  await verdicts.filter({ hasText: sweep.claims.find(({ holds }) => !holds)!.why! }).waitFor();
  await page.getByText('Every number of the charts').click();
  expect(await page.locator('tbody tr').count()).toBe(sweep.table.body.length);
  expect(await lab.axe()).toEqual([]);

  await page.getByRole('link', { name: 'Population statistics in training →' }).click();
  await page.getByRole('heading', { level: 2, name: 'Population statistics in training' }).waitFor();
  await lab.close();
});

test('each has an address and its charts, on a narrow screen, light and dark', async () => {
  const lab = await openPage({ path: '#/paper', width: 360 });
  const { page } = lab;
  for (const { name, figures } of findings) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/paper/${name}`);
    await expect.poll(() => page.locator('.chart-plot svg').count()).toBe(figures.length);
    for (const figure of figures) {
      for (const text of figure.names) {
        const shown = text.replace(/\^(\d)/, (_, digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit] as string);
        await page.locator('.legend li').getByText(shown, { exact: true }).first().waitFor();
      }
    }
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, name).toBeLessThanOrEqual(360);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Colours pass into others.
      await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
      expect(await lab.axe(), `${name}, ${colorScheme}`).toEqual([]);
    }
  }
  await lab.close();
});

test('a finding that there is not, and one that does not load, are explained', async () => {
  const lab = await openPage({ path: '#/paper/nothing' });
  const { page } = lab;
  await page.getByText('There is no finding ‘nothing’').waitFor();
  await page.route('**/results/ema-decay.json', (route) => route.fulfill({ status: 503 }));
  await page.evaluate(() => {
    location.hash = '#/paper/ema-decay';
  });
  await page.getByRole('alert').filter({ hasText: 'answered with status 503' }).waitFor();
  await page.unroute('**/results/ema-decay.json');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.chart-plot svg').waitFor();
  // The failures that were made here are no faults: the file that there is not, and the one that did not answer.
  expect(lab.faults.every((fault) => /404|503/.test(fault))).toBe(true);
  lab.faults.length = 0;
  await lab.close();
});
