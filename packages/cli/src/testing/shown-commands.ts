// What READMEs show of commands, run again: fenced `console` blocks of "$ rebatch ..." and what it printed.
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rebatch } from './run-cli.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const BLOCK = /```console\n([\s\S]*?)```/g;

/** Those with such blocks, by their paths in the repository. */
export const READMES = ['README.md', 'packages/cli/README.md'] as const;

/** A README as it is, and with what its commands print now. They run in order, in a folder with the example alone. */
export async function rerun(readme: string): Promise<{ path: string; said: string; now: string }> {
  const path = join(ROOT, readme);
  const said = await readFile(path, 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-readme-'));
  const home = process.cwd();
  try {
    for (const name of ['model', 'digits', 'bright']) {
      await cp(join(ROOT, 'example', name), join(folder, 'example', name), { recursive: true });
    }
    process.chdir(folder);
    return { path, said, now: await rerunBlocks(said) };
  } finally {
    process.chdir(home);
    await rm(folder, { recursive: true, force: true });
  }
}

async function rerunBlocks(said: string): Promise<string> {
  const parts: string[] = [];
  let at = 0;
  for (const block of said.matchAll(BLOCK)) {
    parts.push(said.slice(at, block.index), `\`\`\`console\n${await rerunBlock(block[1]!)}\`\`\``);
    at = block.index + block[0].length;
  }
  return [...parts, said.slice(at)].join('');
}

/** A command that ends with another number than 0 is followed by `$ echo $?` and the number. */
async function rerunBlock(text: string): Promise<string> {
  const commands = text.split('\n').filter((line) => line.startsWith('$ ') && line !== '$ echo $?');
  const lines: string[] = [];
  for (const command of commands) {
    const [, name, ...args] = command.split(' ');
    if (name !== 'rebatch') throw new Error(`Expected a block of rebatch commands, got ${command}`);
    const { code, both } = await rebatch(...args);
    lines.push(command, ...both.trimEnd().split('\n'));
    if (code !== 0) lines.push('$ echo $?', String(code));
  }
  return `${lines.join('\n')}\n`;
}

/** Without what differs from run to run: how long it took. */
export const timeless = (text: string): string => text.replace(/\d+\.\d s\b/g, '... s');
