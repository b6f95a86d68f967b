// For the tests of what fetches.
export { packageTarball } from './package-tarball.ts';
export { RecordedProgress } from './recorded-progress.ts';
export { temporaryFolder } from './temporary-folder.ts';
