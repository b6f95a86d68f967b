// The user's npm configuration (registry, credentials, proxies, cache, retries), as npm itself reads it.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import Config from '@npmcli/config';
import npm from '@npmcli/config/lib/definitions/index.js';

/**
 * What npm's libraries take as their options, from the environment (`npm_config_*`) and the `.npmrc` files of the
 * project, the user and the machine.
 *
 * @param env The environment; it is not changed.
 */
export async function npmOptions(env: NodeJS.ProcessEnv = process.env): Promise<Record<string, unknown>> {
  const config = new Config({
    definitions: npm.definitions,
    flatten: npm.flatten,
    shorthands: npm.shorthands,
    // Where npm's own defaults would be looked up. There may be no npm here (pnpm brings none), and its defaults are ours.
    npmPath: dirname(createRequire(import.meta.url).resolve('@npmcli/config/package.json')),
    // The command line is ours, not npm's.
    argv: [],
    env: { ...env },
  });
  await config.load();
  return config.flat;
}
