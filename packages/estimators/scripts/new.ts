/**
 * `pnpm new estimator <name>`: writes an estimator that works and passes the contract, for you to change. All checks
 * come before the first write.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Names, namesOf } from './names.ts';

const USAGE = `Usage: pnpm new estimator <name>

Writes packages/estimators/src/<name>.ts and its test, and adds it to the registry, the index and a changeset.
<name> is lower-case words joined by hyphens: trimmed-mean gives the estimator trimmedMean().`;

const scripts = fileURLToPath(new URL('.', import.meta.url));
const src = join(scripts, '../src');
const root = join(scripts, '../../..');
const read = (path: string) => readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
const skeleton = (name: string) => read(join(scripts, 'skeleton', `${name}.txt`));

function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    options: { help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const [what, name, ...rest] = positionals;
  if (what !== 'estimator' || name === undefined || rest.length > 0) throw new Error(USAGE);

  const texts = {
    code: skeleton('estimator.ts'),
    test: skeleton('estimator.test.ts'),
    changeset: skeleton('changeset.md'),
  };
  const names = namesOf(name, [texts.code, texts.test]);
  const files = new Map([
    [join(src, `${name}.ts`), fill(texts.code, names)],
    [join(src, `${name}.test.ts`), fill(texts.test, names)],
    [join(root, '.changeset', `estimator-${name}.md`), fill(texts.changeset, names)],
  ]);
  for (const path of files.keys()) {
    if (existsSync(path))
      throw new Error(`${relative(root, path)} exists already. Choose another name, or delete it.`);
  }
  const registry = join(src, 'registry.ts');
  const index = join(src, 'index.ts');
  const edits = new Map([
    [registry, register(read(registry), names)],
    [index, `${refuseDuplicate(read(index), names)}export { ${names.camel} } from './${names.kebab}.ts';\n`],
  ]);

  for (const [path, text] of files) writeFileSync(path, text, { flag: 'wx' });
  for (const [path, text] of edits) writeFileSync(path, text);
  // Not the changeset: Biome's Markdown formatter takes its front matter for a heading.
  format([...files.keys(), ...edits.keys()].filter((path) => path.endsWith('.ts')));

  const changed = [...files.keys(), ...edits.keys()].map((path) => `  ${relative(root, path)}`);
  console.log(`Wrote the estimator ${names.camel}:\n${changed.join('\n')}\n
It averages batches for now. Replace the algorithm and every TODO, then add a row to packages/estimators/README.md.
Try it with: pnpm exec vitest run ${name}`);
}

function fill(text: string, { kebab, camel, pascal }: Names): string {
  return text.replaceAll('__kebab__', kebab).replaceAll('__camel__', camel).replaceAll('__Pascal__', pascal);
}

/** The registry with one more import and one more line. */
function register(text: string, names: Names): string {
  refuseDuplicate(text, names);
  const end = text.lastIndexOf('\n]);');
  const firstImport = text.indexOf('import ');
  if (end < 0 || firstImport < 0) {
    throw new Error(
      'packages/estimators/src/registry.ts has no imports or no list that ends in "]);"; was it rewritten?',
    );
  }
  const restore = `${names.camel}FromJSON`;
  return (
    text.slice(0, firstImport) +
    `import { ${restore} } from './${names.kebab}.ts';\n` +
    text.slice(firstImport, end) +
    `\n  ['${names.camel}', ${restore}],` +
    text.slice(end)
  );
}

function refuseDuplicate(text: string, { kebab, camel }: Names): string {
  if (new RegExp(`\\b${camel}\\b`).test(text)) {
    throw new Error(`"${kebab}" cannot be a name: the package has a ${camel} already. Choose another.`);
  }
  return text;
}

/** Sorts imports and wraps lines, which depends on the length of the name. */
function format(paths: readonly string[]): void {
  const biome = createRequire(join(root, 'package.json')).resolve('@biomejs/biome/bin/biome');
  const args = [biome, 'check', '--write', '--log-level=error', ...paths];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0)
    console.error(`The files are written but not formatted; run pnpm format.\n${stdout}${stderr}`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
