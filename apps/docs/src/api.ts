// Writes the API pages of every published package, from the docstrings of what its entries export.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Converter, type ProjectReflection } from 'typedoc';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The published packages, by their folders. */
export function publishedPackages(): string[] {
  return readdirSync(join(ROOT, 'packages')).filter((folder) => {
    const manifest = join(ROOT, 'packages', folder, 'package.json');
    return existsSync(manifest) && !JSON.parse(readFileSync(manifest, 'utf8')).private;
  });
}

/** @throws if a package cannot be read, or if a docstring names what there is not. */
export async function writeApi(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  const packages = publishedPackages().filter((folder) =>
    existsSync(join(ROOT, 'packages', folder, 'src/index.ts')),
  );
  const options = {
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: packages.map((folder) => join(ROOT, 'packages', folder, 'src/index.ts')),
    tsconfig: join(ROOT, 'apps/docs/tsconfig.api.json'),
    readme: 'none',
    name: 'API',
    out,
    cleanOutputDir: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    skipErrorChecking: true,
    logLevel: 'Warn',
    validation: { notExported: false, invalidLink: true },
    // Of typedoc-plugin-markdown.
    entryFileName: 'index',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    sanitizeComments: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
  };
  const app = await Application.bootstrapWithPlugins(options as never);
  // By the package that it is installed as, instead of the path of its entry.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }: { project: ProjectReflection }) => {
    for (const module of project.children ?? []) module.name = module.name.replace(/\/src.*$/, '');
  });
  const project = await app.convert();
  if (project === undefined || app.logger.hasErrors())
    throw new Error('The API could not be read; see above.');
  await app.generateOutputs(project);
}
