// Builds the site: the API first, then all pages. Dead links are errors.

import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { writeApi } from './api.ts';

/** The pages, with the API below. */
export const PAGES = fileURLToPath(new URL('../pages', import.meta.url));
/** Where the built site is. */
export const SITE = fileURLToPath(new URL('../dist/site', import.meta.url));

/** @throws if a page links to what there is not. */
export async function buildSite(): Promise<void> {
  await writeApi(`${PAGES}/api`);
  await build(PAGES);
}
