/** The address of a file that ships with the page, from a worker: those lie one folder below it, and it may lie anywhere. */
export function pageUrl(path: string): URL {
  return new URL(import.meta.env.DEV ? `/${path}` : `../${path}`, import.meta.url);
}
