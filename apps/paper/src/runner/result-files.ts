import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import writeFileAtomic from 'write-file-atomic';
import type { Result } from '../experiment.ts';

export const RESULTS_FOLDER = fileURLToPath(new URL('../../results/', import.meta.url));

const schema = {
  type: 'object',
  required: ['experiment', 'section', 'seeds', 'backend', 'settings', 'rows', 'claims', 'seconds'],
  additionalProperties: false,
  properties: {
    experiment: { type: 'string', pattern: '^[a-z0-9-]+$' },
    section: { type: 'string', minLength: 1 },
    seeds: { type: 'array', items: { type: 'integer' }, minItems: 1 },
    backend: { type: 'string', minLength: 1 },
    settings: { type: 'object' },
    rows: { type: 'array', items: { type: 'object' }, minItems: 1 },
    claims: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['claim', 'measured', 'holds'],
        additionalProperties: false,
        properties: {
          claim: { type: 'string', minLength: 1 },
          measured: { type: 'string', minLength: 1 },
          holds: { type: 'boolean' },
          why: { type: 'string', minLength: 1 },
        },
        // A claim that does not hold says why.
        if: { properties: { holds: { const: false } } },
        // biome-ignore lint/suspicious/noThenProperty: JSON Schema's keyword
        then: { required: ['why'] },
      },
    },
    seconds: { type: 'number', exclusiveMinimum: 0 },
  },
};

const ajv = new Ajv({ allErrors: true });
const validate = ajv.compile(schema);

/** Throws unless `value` is a result file's content. */
export function checkResult(value: unknown): asserts value is Result<Record<string, unknown>> {
  if (!validate(value)) throw new Error(`not a result: ${ajv.errorsText(validate.errors)}`);
}

/** Reads an experiment's result; throws if it is not there or not whole. */
export async function readResult(
  experiment: string,
  folder: string = RESULTS_FOLDER,
): Promise<Result<Record<string, unknown>>> {
  const result: unknown = JSON.parse(await readFile(join(folder, `${experiment}.json`), 'utf8'));
  checkResult(result);
  return result;
}

/** The results of the experiments, in their order; undefined for those that have none. */
export async function readResults<E extends { readonly name: string }>(
  experiments: readonly E[],
  folder: string = RESULTS_FOLDER,
): Promise<(readonly [E, Result<unknown> | undefined])[]> {
  return Promise.all(
    experiments.map(async (experiment) => {
      try {
        return [experiment, await readResult(experiment.name, folder)] as const;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [experiment, undefined] as const;
        throw error;
      }
    }),
  );
}

/** Writes `<experiment>.json` and `<experiment>.svg`; each file appears whole or not at all. */
export async function writeResult(result: Result<unknown>, svg: string, folder: string): Promise<string[]> {
  checkResult(result);
  await mkdir(folder, { recursive: true });
  const files = [
    [join(folder, `${result.experiment}.json`), `${JSON.stringify(result, null, 2)}\n`],
    [join(folder, `${result.experiment}.svg`), svg],
  ] as const;
  for (const [path, text] of files) await writeFileAtomic(path, text);
  return files.map(([path]) => path);
}
