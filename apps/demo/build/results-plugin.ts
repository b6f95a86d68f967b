// The committed findings of the paper's experiments, as one file per experiment and a list of them.

import type { Finding } from '@rebatch/findings';
import { readFindings } from '@rebatch/findings/file';
import type { Plugin } from 'vite';
import { FINDINGS_FILE, type FindingEntry, findingFile } from '../src/data/findings.ts';

/** Serves and emits the files that `src/data/findings.ts` loads. */
export function resultsPlugin(): Plugin {
  return {
    name: 'rebatch-results',
    async generateBundle() {
      for (const [fileName, source] of await files()) this.emitFile({ type: 'asset', fileName, source });
    },
    configureServer({ middlewares }) {
      middlewares.use(async (request, response, next) => {
        const path = request.url?.slice(1) ?? '';
        if (!path.startsWith('results/')) return next();
        const source = (await files()).get(path);
        if (source === undefined) return next();
        response.setHeader('Content-Type', 'application/json');
        response.end(source);
      });
    },
  };
}

async function files(): Promise<Map<string, string>> {
  const findings = await readFindings();
  return new Map([
    [FINDINGS_FILE, JSON.stringify(findings.map(entry))],
    ...findings.map((finding) => [findingFile(finding.name), JSON.stringify(finding)] as const),
  ]);
}

/** What the overview shows. */
function entry({ name, section, title, finding, claims, seeds, seconds }: Finding): FindingEntry {
  return { name, section, title, finding, claims, seeds: seeds.length, seconds };
}
