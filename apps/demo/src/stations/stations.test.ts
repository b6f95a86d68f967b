import { expect, test } from 'vitest';
import { STATIONS } from './index.ts';
import type { StationManifest } from './station.ts';

const manifests = import.meta.glob<Record<string, StationManifest>>('./*/station.ts', { eager: true });

test('every folder with a manifest is a station of the list, named as its folder, and numbered in order', () => {
  const inFolders = Object.entries(manifests).map(([path, module]) => {
    const [manifest] = Object.values(module);
    expect(manifest?.name).toBe(path.split('/')[1]);
    return manifest?.question;
  });
  expect(inFolders.length).toBeGreaterThanOrEqual(6);
  expect(STATIONS.map(({ question }) => question).sort()).toEqual(inFolders.sort());
  expect(STATIONS.map(({ number }) => number)).toEqual(STATIONS.map((_, at) => at + 1));
});

test('each is a question, and knows its neighbours', () => {
  for (const [at, { question, act, count, previous, next }] of STATIONS.entries()) {
    expect(question).toMatch(/\?$/);
    expect(act).toMatch(/\.$/);
    expect(count).toBe(STATIONS.length);
    expect([previous?.name, next?.name]).toEqual([STATIONS[at - 1]?.name, STATIONS[at + 1]?.name]);
  }
});
