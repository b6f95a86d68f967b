// Reads a model's topology and weights from the files that were given, or explains what is wrong with them.

import { openModel } from '@rebatch/files';
import { RebatchError } from '@rebatch/stats';
import type { GivenFile } from '../settings.ts';
import { checkModel, LIMITS } from './check-model.ts';
import { FileProblem, listed } from './file-problem.ts';
import { matchShards } from './match-shards.ts';
import { bytesOf, type WeightSpec } from './weights.ts';

/** The content of a `model.json`, as far as it is looked at. */
export interface ModelJson {
  readonly format?: unknown;
  readonly modelTopology: object;
  readonly weightsManifest: readonly WeightsGroup[];
  readonly [more: string]: unknown;
}

interface WeightsGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightSpec[];
}

/** Whether it is that of a converted graph. */
export const isGraphJson = ({ format, modelTopology }: ModelJson): boolean =>
  format === 'graph-model' || 'node' in modelTopology;

/** A model, read from its files or written by `model.save`. */
export interface ModelArtifacts {
  readonly name: string;
  readonly json: ModelJson;
  readonly specs: readonly WeightSpec[];
  /** All weights in the specs' order. */
  readonly data: Uint8Array<ArrayBuffer>;
}

const FORMATS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [
    /\.pb$/i,
    'a TensorFlow graph, which has its batch normalization built in: convert the Keras model instead',
  ],
  [/\.(tflite|onnx|pt|pth|safetensors)$/i, 'a model of another framework, which cannot be read here'],
  [/\.(zip|tar|gz|tgz)$/i, 'an archive: unpack it first'],
];

const KERAS = /\.(h5|hdf5|keras)$/i;

/** A model as Keras writes it, in one file. */
async function readKeras(files: readonly GivenFile[]): Promise<ModelArtifacts> {
  const [{ path, file }, ...others] = files as [GivenFile, ...GivenFile[]];
  if (others.length > 0) {
    throw new FileProblem(
      `Expected one model, got ${files.length}: ${listed(files.map((own) => own.path))}. Drop the file of one.`,
    );
  }
  try {
    const { artifacts } = await openModel(file, { limits: LIMITS });
    const { modelTopology, weightSpecs = [], weightData } = artifacts;
    const specs = weightSpecs as readonly WeightSpec[];
    const data = new Uint8Array(weightData as ArrayBuffer);
    checkModel(path, modelTopology as object, specs, data.buffer);
    const json = {
      format: 'layers-model',
      modelTopology: modelTopology as object,
      weightsManifest: [{ paths: [], weights: specs }],
    };
    return { name: path, json, specs, data };
  } catch (error) {
    if (!(error instanceof RebatchError)) throw error;
    throw new FileProblem(`‘${path}’ cannot be used. ${error.message}`);
  }
}

/**
 * Reads a model from `model.json` and its weight files, or from a `.h5` or `.keras` file.
 *
 * @throws {FileProblem} (rejects) if there is no `model.json`, several, one that is not that of a model, that
 *   contradicts itself or is larger than {@link LIMITS}, or if weight files are missing or not as long as it says.
 */
export async function readModelFiles(files: readonly GivenFile[]): Promise<ModelArtifacts> {
  const keras = files.filter(({ path }) => KERAS.test(path));
  if (keras.length > 0 && !files.some(({ path }) => /\.json$/i.test(path))) return readKeras(keras);
  const { path, json } = await findModelJson(files);
  const specs = json.weightsManifest.flatMap(({ weights }) => weights);
  // All of what can be known without the weights, before they are read.
  checkModel(path, json.modelTopology, specs);
  const found = weightFiles(
    path,
    json.weightsManifest.flatMap(({ paths }) => paths),
    files,
  );
  const parts: Uint8Array[] = [];
  for (const group of json.weightsManifest) parts.push(...(await readGroup(path, group, found)));
  const data = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  checkModel(path, json.modelTopology, specs, data.buffer);
  return { name: path, json, specs, data };
}

async function findModelJson(
  files: readonly GivenFile[],
): Promise<{ readonly path: string; readonly json: ModelJson }> {
  const candidates = files.filter(({ path }) => /\.json$/i.test(path));
  if (candidates.length === 0) throw new FileProblem(noModelJson(files));
  const read: { path: string; content: unknown }[] = [];
  const large = candidates.find(({ file }) => file.size > LIMITS.maxJsonBytes);
  if (large !== undefined) {
    throw new FileProblem(
      `‘${large.path}’ has ${bytes(large.file.size)}: a model.json of more than ${bytes(LIMITS.maxJsonBytes)} is not read here.`,
    );
  }
  for (const { path, file } of candidates) read.push({ path, content: parsed(path, await file.text()) });
  const models = read.filter(({ content }) => isObject(content) && 'modelTopology' in content);
  const [first] = models;
  if (first === undefined) {
    const [{ path, content }] = read as [(typeof read)[0]];
    const has = isObject(content)
      ? `It has ${listed(Object.keys(content)) || 'nothing in it'}`
      : 'It is no object';
    throw new FileProblem(
      `‘${path}’ is not a model: expected the model.json that model.save() or tensorflowjs_converter wrote, with a ` +
        `modelTopology and a weightsManifest. ${has}.`,
    );
  }
  if (models.length > 1) {
    throw new FileProblem(
      `Expected one model, got ${models.length}: ${listed(models.map(({ path }) => path))}. Drop the files of one.`,
    );
  }
  return { path: first.path, json: checkedJson(first.path, first.content as Record<string, unknown>) };
}

function noModelJson(files: readonly GivenFile[]): string {
  const names = files.map(({ path }) => path);
  for (const [pattern, what] of FORMATS) {
    const found = names.find((name) => pattern.test(name));
    if (found !== undefined) return `Expected a model.json and its weight files. ‘${found}’ is ${what}.`;
  }
  return (
    `There is no model.json among the files (${listed(names)}). A tfjs model is a model.json and the weight files ` +
    'that it names: drop all of them together.'
  );
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = text.trimStart().startsWith('<')
      ? 'It starts like an HTML page: was it saved from a web page, instead of downloaded?'
      : isPointer(text)
        ? 'It is a Git LFS pointer: run git lfs pull to get the file itself.'
        : 'Is the file whole?';
    const why = error instanceof Error ? error.message : String(error);
    throw new FileProblem(`‘${path}’ is not valid JSON (${why}). ${hint}`);
  }
}

function checkedJson(path: string, content: Record<string, unknown>): ModelJson {
  const { modelTopology, weightsManifest } = content;
  if (!isObject(modelTopology)) {
    throw new FileProblem(
      `‘${path}’ has no modelTopology: it holds weights alone. Save the whole model with model.save().`,
    );
  }
  const isManifest =
    Array.isArray(weightsManifest) &&
    weightsManifest.length > 0 &&
    weightsManifest.every(
      (group) =>
        isObject(group) &&
        Array.isArray(group.paths) &&
        group.paths.length <= LIMITS.maxWeights &&
        group.paths.every((name) => typeof name === 'string') &&
        Array.isArray(group.weights),
    );
  if (!isManifest) {
    throw new FileProblem(
      `‘${path}’ has no weightsManifest, so it does not say which files its weights are in. Save the model with its ` +
        'weights: model.save().',
    );
  }
  return content as unknown as ModelJson;
}

/** The files that model.json names, by its names for them. */
function weightFiles(
  modelPath: string,
  paths: readonly string[],
  files: readonly GivenFile[],
): ReadonlyMap<string, GivenFile> {
  const others = files.filter(({ path }) => path !== modelPath && !/\.json$/i.test(path));
  const { found, missing, unclear } = matchShards(paths, others);
  if (missing.length === 0) return found;
  const isUnclear = unclear.length >= missing.length;
  throw new FileProblem(
    `‘${modelPath}’ says that its weights are in ${listed(paths)}, but ${listed(missing)} ` +
      `${missing.length === 1 ? 'is' : 'are'} not among the files` +
      `${others.length > 0 ? ` (${listed(others.map(({ path }) => path))})` : ''}. ` +
      (isUnclear
        ? 'It is not clear which file is which: name them by the numbers of the shards, such as 1.bin, 2.bin.'
        : 'Add what is missing.'),
  );
}

/** The bytes of a group's files, checked against what the group's weights take. */
async function readGroup(
  modelPath: string,
  { paths, weights }: WeightsGroup,
  files: ReadonlyMap<string, GivenFile>,
): Promise<Uint8Array[]> {
  const at = (path: string) => files.get(path);
  const found = paths.map((path) => (at(path) as GivenFile).file);
  const heads = await Promise.all(found.map((file) => file.slice(0, 64).text()));
  const pointer = paths.find((_, i) => isPointer(heads[i] as string));
  if (pointer !== undefined) {
    throw new FileProblem(
      `‘${pointer}’ is a Git LFS pointer, not the weights: run git lfs pull to get them.`,
    );
  }
  const expected = weights.map(bytesOf);
  const came = found.reduce((sum, { size }) => sum + size, 0);
  const sum = expected.reduce<number>((total, bytes) => total + (bytes ?? 0), 0);
  if (!expected.includes(undefined) && came !== sum) {
    const lengths = paths.map((path, i) => `‘${path}’ ${bytes(found[i]!.size)}`).join(', ');
    throw new FileProblem(
      `The weights are not those of ‘${modelPath}’, or not whole: expected ${bytes(sum)} for its ${weights.length} ` +
        `weights, got ${lengths}. Take all files from the same download.`,
    );
  }
  if (came > LIMITS.maxBytes) {
    throw new FileProblem(
      `The weights of ‘${modelPath}’ have ${bytes(came)}; this page has room for ${bytes(LIMITS.maxBytes)}.`,
    );
  }
  const read: Uint8Array[] = [];
  for (const file of found) read.push(new Uint8Array(await file.arrayBuffer()));
  return read;
}

const isPointer = (text: string) => text.startsWith('version https://git-lfs');
const bytes = (count: number) => `${count.toLocaleString('en')} bytes`;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
