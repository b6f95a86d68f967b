// Files of npm packages that are too large to be dependencies: fetched on first use, pinned by their hash, kept.
export { type FetchOptions, fetchPackageFiles, type PinnedPackage } from './package-files.ts';
export { type Progress, progressBar, silentProgress } from './progress.ts';
export { isWhole, wholeFolder } from './whole-folder.ts';
