// The rules of who may import whom, as a function of one file's text. A real parser reads the imports, so that
// type-only imports, re-exports, `import()` and `import('x').T` all count, and strings and comments do not.

import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { isTestOnly, type Manifest } from './workspace.ts';

/** Package folder -> the folders it may import outside tests. */
export type ImportOrder = Readonly<Record<string, readonly string[]>>;

export interface SourceFile {
  /** The package's folder name, such as `core`. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** Path below the package's folder, with forward slashes, such as `src/index.ts`. */
  readonly path: string;
  readonly text: string;
}

const TENSOR_FREE: ReadonlySet<string> = new Set(['stats', 'estimators']);
/** Commands: no browser ever loads a file of them. */
const COMMANDS: ReadonlySet<string> = new Set(['cli']);

/**
 * The module specifiers that a TypeScript file imports, in any syntax, in order of appearance.
 * Throws when the file does not parse, or computes a specifier (which no rule could then judge).
 *
 * @param loadsFiles whether the file may load files that it is told of when it runs: `import(pathToFileURL(path).href)`.
 *   Left out of the result.
 */
export function importsOf(path: string, text: string, loadsFiles = false): string[] {
  const found: { at: number; specifier: string }[] = [];
  const add = (node: { type: string; start: number; value?: unknown } | null | undefined) => {
    if (!node) return;
    if (typeof node.value !== 'string')
      throw new Error(`${path} imports a computed module name (${node.type})`);
    found.push({ at: node.start, specifier: node.value });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: ({ source }) => {
      const isFile = /^pathToFileURL\(.*\)\.href$/s.test(text.slice(source.start, source.end));
      if (!(loadsFiles && isFile)) add(source);
    },
    TSImportType: (node) => add(node.source),
    TSExternalModuleReference: (node) => add(node.expression),
  }).visit(parse(path, text));
  return found.sort((a, b) => a.at - b.at).map(({ specifier }) => specifier);
}

function parse(path: string, text: string) {
  const { program, errors } = parseSync(path, text);
  const failure = errors.find((error) => error.severity === 'Error');
  if (failure) throw new Error(`${path} does not parse: ${failure.message}`);
  return program;
}

/**
 * The patterns of Vite's `import.meta.glob` in a file, which imports every file that matches.
 * Throws when one is computed.
 */
export function globsOf(path: string, text: string): string[] {
  const found: string[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: [patterns] }) => {
      if (callee.type !== 'MemberExpression' || callee.object.type !== 'MetaProperty') return;
      if (callee.property.type !== 'Identifier' || callee.property.name !== 'glob') return;
      for (const pattern of patterns?.type === 'ArrayExpression' ? patterns.elements : [patterns]) {
        if (pattern?.type !== 'Literal' || typeof pattern.value !== 'string')
          throw new Error(`${path} imports by a computed pattern`);
        found.push(pattern.value);
      }
    },
  }).visit(parse(path, text));
  return found;
}

/**
 * The apps, of these, that a file imports by name or by path, its own left out.
 *
 * @param path of the file, relative to the workspace's root, such as `apps/demo/src/main.tsx`.
 */
export function appsImportedBy(path: string, text: string, apps: readonly string[]): string[] {
  const named = [...importsOf(path, text, true), ...globsOf(path, text)];
  return apps.filter((app) => {
    const [name, folder] = [`@rebatch/${app}`, `apps/${app}/`];
    if (path.startsWith(folder)) return false;
    return named.some((specifier) =>
      specifier.startsWith('.')
        ? posix.join(posix.dirname(path), specifier).startsWith(folder)
        : specifier === name || specifier.startsWith(`${name}/`),
    );
  });
}

/** What the file imports against the rules, one readable sentence each; empty when it keeps them. */
export function violationsOf(file: SourceFile, order: ImportOrder): string[] {
  return importsOf(file.path, file.text, COMMANDS.has(file.folder)).flatMap((specifier) => {
    const problem = specifier.startsWith('.')
      ? judgeRelative(file, specifier)
      : judgeBare(file, specifier, order);
    return problem ? [`${file.folder}/${file.path} imports '${specifier}': ${problem}`] : [];
  });
}

function judgeRelative({ path, manifest }: SourceFile, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith('src/')) return 'a relative import may not leave the package, use its name';
  if (isTestOnly(target, manifest) && !isTestOnly(path, manifest))
    return 'published code may not import tests';
  if (isForNode(target) && !isForNode(path) && !isTestOnly(path, manifest))
    return 'what browsers load may not import what needs Node';
  return undefined;
}

/**
 * Whether a source file belongs to an entry `./node`: it lies in `src/node.ts` or `src/node/`. Files on disks need Node's
 * modules, and a package that reads them offers that beside what runs everywhere. Nothing else may import such a file, so
 * that no browser ever loads one.
 */
function isForNode(path: string): boolean {
  return /^src\/node(\.ts$|\/)/.test(path);
}

function judgeBare(file: SourceFile, specifier: string, order: ImportOrder): string | undefined {
  const { folder, manifest, path } = file;
  if (isBuiltin(specifier)) {
    if (isTestOnly(path, manifest) || isForNode(path) || COMMANDS.has(folder)) return undefined;
    return 'published code runs in browsers and has no Node modules';
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifest;
  if (isTestOnly(path, manifest)) {
    const declared = name in dependencies || name in peerDependencies || name in devDependencies;
    return declared || name === manifest.name ? undefined : 'package.json does not declare it';
  }
  if (name.startsWith('@rebatch/')) {
    const target = name.slice('@rebatch/'.length);
    const allowed = order[folder];
    if (!allowed) return `the import order does not list '${folder}'`;
    if (!allowed.includes(target)) return `'${folder}' may import only [${allowed.join(', ')}]`;
    return name in dependencies ? undefined : 'it must be in dependencies';
  }
  if (name.startsWith('@tensorflow/')) {
    if (TENSOR_FREE.has(folder)) return `'${folder}' never imports TensorFlow.js`;
    // As a dependency, a user could end up with a second copy whose tensors the first one refuses.
    if (name in dependencies) return 'TensorFlow.js must be a peer, never a dependency';
    return name in peerDependencies ? undefined : 'it must be in peerDependencies';
  }
  const declared = name in dependencies || name in peerDependencies;
  return declared ? undefined : 'it must be in dependencies or peerDependencies';
}
