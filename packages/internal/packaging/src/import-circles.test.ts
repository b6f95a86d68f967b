// No source file of the workspace may import itself, on whatever way. Where files do, none of them can be read, tested or
// moved without the others.

import { describe, expect, it } from 'vitest';
import { circlesIn, graphOf, readWorkspace, type Sources } from './import-graph.ts';

describe('the workspace', () => {
  const graph = graphOf(readWorkspace());

  it('is read: packages, what is never published, apps, tests and scripts', () => {
    for (const [file, imported] of [
      ['packages/layers/src/index.ts', 'packages/layers/src/'],
      ['packages/kernels-wasm/assembly/index.ts', 'packages/kernels-wasm/assembly/'],
      [
        'packages/internal/packaging/src/import-circles.test.ts',
        'packages/internal/packaging/src/import-graph.ts',
      ],
      ['apps/demo/src/main.tsx', 'apps/demo/src/app/app.tsx'],
      ['apps/demo/vite.config.ts', 'apps/demo/build/'],
      ['apps/paper/bin/paper.js', 'apps/paper/src/main.ts'],
    ] as const) {
      expect(graph.get(file), file).toContainEqual(expect.stringMatching(`^${imported}`));
    }
    const imports = (from: string, to: string) =>
      [...graph].some(([file, all]) => file.startsWith(from) && all.some((other) => other.startsWith(to)));
    expect(imports('packages/layers/src/', 'packages/core/src/index.ts')).toBe(true);
    expect(imports('apps/demo/src/', 'packages/layers/src/index.ts')).toBe(true);
    expect(imports('packages/core/src/', 'packages/layers/src/')).toBe(false);
  });

  it('has no circle of imports', () => {
    expect(circlesIn(graph).map((circle) => circle.join(' -> '))).toEqual([]);
  });
});

describe('a circle', () => {
  const packages: Sources['packages'] = new Map([
    ['@rebatch/a', { folder: 'packages/a', exports: { '.': './src/index.ts', './more': './src/more.ts' } }],
    ['@rebatch/b', { folder: 'packages/b', exports: { '.': './src/index.ts' } }],
  ]);
  const circlesOf = (files: Readonly<Record<string, string>>) =>
    circlesIn(graphOf({ packages, texts: new Map(Object.entries(files)) }));
  const [INDEX, MORE, OTHER] = [
    'packages/a/src/index.ts',
    'packages/a/src/more.ts',
    'packages/b/src/index.ts',
  ];
  const both = [[INDEX, MORE]];

  it.each([
    "import { m } from './more.ts';",
    "import type { M } from './more.ts';",
    "import { type M } from './more.ts';",
    "export * from './more.ts';",
    "export type { M } from './more.ts';",
    "const m = await import('./more.ts');",
    "let m: import('./more.ts').M;",
    "import '@rebatch/a/more';",
    "const all = import.meta.glob('./m*.ts');",
    "const all = import.meta.glob<object>(['./x.ts', './*.ts'], { eager: true });",
  ])('is found where it is closed by: %s', (text) => {
    expect(circlesOf({ [INDEX]: text, [MORE]: "import { i } from './index.ts';" })).toEqual(both);
    expect(circlesOf({ [INDEX]: text, [MORE]: "import { i } from 'another-lib';" })).toEqual([]);
  });

  it('is found through a package’s own name, across packages, of one file, and in AssemblyScript', () => {
    expect(circlesOf({ [INDEX]: "import './more.ts';", [MORE]: "import '@rebatch/a';" })).toEqual(both);
    expect(circlesOf({ [INDEX]: "import '@rebatch/b';", [OTHER]: "import '@rebatch/a';" })).toEqual([
      [INDEX, OTHER],
    ]);
    expect(circlesOf({ [INDEX]: "import './index.ts';" })).toEqual([[INDEX]]);
    const assembly = ['packages/a/assembly/x.ts', 'packages/a/assembly/y.ts'] as const;
    expect(
      circlesOf({
        [assembly[0]]: "import { y } from './y';\n@inline\nfunction x(): i32 { return <i32>y; }",
        [assembly[1]]: "export { x } from './x';",
      }),
    ).toEqual([assembly]);
  });

  it('is shown once and by its shortest way, and not where files share an import', () => {
    const folder = 'packages/a/src';
    expect(
      circlesOf({
        [`${folder}/a.ts`]: "import './b.ts'; import './c.ts'; import './d.ts';",
        [`${folder}/b.ts`]: "import './c.ts';",
        [`${folder}/c.ts`]: "import './d.ts';",
        [`${folder}/d.ts`]: "import './b.ts'; import './e.ts';",
        [`${folder}/e.ts`]: '',
      }),
    ).toEqual([['b', 'c', 'd'].map((name) => `${folder}/${name}.ts`)]);
  });

  it('cannot hide behind what is not found', () => {
    expect(() => circlesOf({ [INDEX]: "import './nowhere.ts';" })).toThrow(
      `${INDEX} imports './nowhere.ts', but there is no packages/a/src/nowhere.ts`,
    );
    expect(() => circlesOf({ [INDEX]: "import '@rebatch/b/hidden';" })).toThrow('there is no');
    expect(() => circlesOf({ [INDEX]: 'await import(name);' })).toThrow('computed');
    expect(circlesOf({ [INDEX]: 'await import(pathToFileURL(told).href);' })).toEqual([]);
    expect(() => circlesOf({ [INDEX]: 'import.meta.glob(pattern);' })).toThrow('computed');
  });

  it('is none of files that are not code', () => {
    expect(circlesOf({ [INDEX]: "import './style.css'; import url from 'x/y.wasm?url';" })).toEqual([]);
  });
});
