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

/**
 * The module specifiers that a TypeScript file imports, in any syntax, in order of appearance.
 * Throws when the file does not parse, or computes a specifier (which no rule could then judge).
 */
export function importsOf(path: string, text: string): string[] {
  const { program, errors } = parseSync(path, text);
  const failure = errors.find((error) => error.severity === 'Error');
  if (failure) throw new Error(`${path} does not parse: ${failure.message}`);
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
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
    TSExternalModuleReference: (node) => add(node.expression),
  }).visit(program);
  return found.sort((a, b) => a.at - b.at).map(({ specifier }) => specifier);
}

/** What the file imports against the rules, one readable sentence each; empty when it keeps them. */
export function violationsOf(file: SourceFile, order: ImportOrder): string[] {
  return importsOf(file.path, file.text).flatMap((specifier) => {
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
  return undefined;
}

function judgeBare(file: SourceFile, specifier: string, order: ImportOrder): string | undefined {
  const { folder, manifest, path } = file;
  if (isBuiltin(specifier)) {
    return isTestOnly(path, manifest) ? undefined : 'published code runs in browsers and has no Node modules';
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
