// The findings of the paper's experiments as the page loads them. Their files are made by build/results-plugin.ts.

import type { Finding } from '@rebatch/findings';
import { fetchFile } from './fetch-file.ts';

/** What the list of findings has of each. */
export interface FindingEntry
  extends Pick<Finding, 'name' | 'section' | 'title' | 'finding' | 'claims' | 'seconds'> {
  /** How many. */
  readonly seeds: number;
}

export const FINDINGS_FILE = 'results/index.json';
export const findingFile = (name: string) => `results/${name}.json`;

const loaded = new Map<string, Promise<unknown>>();

/** All findings, in the paper's order. */
export const loadFindings = () => load<readonly FindingEntry[]>(FINDINGS_FILE);

/** One finding with its figures and numbers. */
export const loadFinding = (name: string) => load<Finding>(findingFile(name));

/** A file is fetched once; after a failure the next call tries again. */
function load<T>(path: string): Promise<T> {
  let content = loaded.get(path);
  if (content === undefined) {
    content = fetchJson(path);
    loaded.set(path, content);
    content.catch(() => loaded.delete(path));
  }
  return content as Promise<T>;
}

async function fetchJson(path: string): Promise<unknown> {
  return (await fetchFile(new URL(path, document.baseURI), 'results')).json();
}
