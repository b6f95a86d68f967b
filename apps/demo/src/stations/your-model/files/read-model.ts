// From the files that were given to a model's topology and weights, or to an explanation of what is wrong with them.
import type { GivenFile } from '../settings.ts';
import { FileProblem, listed, nameOf } from './file-problem.ts';
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
    /\.(h5|hdf5|keras)$/i,
    'a Keras model: tensorflowjs_converter --input_format=keras turns it into these files',
  ],
  [
    /\.pb$/i,
    'a TensorFlow graph, which has its batch normalization built in: convert the Keras model instead',
  ],
  [/\.(tflite|onnx|pt|pth|safetensors)$/i, 'a model of another framework, which cannot be read here'],
  [/\.(zip|tar|gz|tgz)$/i, 'an archive: unpack it first'],
];

/**
 * Reads a layers model from `model.json` and its weight files.
 *
 * @throws {FileProblem} (rejects) if there is no `model.json`, several, one that is not that of a layers model, or if
 *   weight files are missing or not as long as it says.
 */
export async function readModelFiles(files: readonly GivenFile[]): Promise<ModelArtifacts> {
  const { path, json } = await findModelJson(files);
  const parts: Uint8Array[] = [];
  for (const group of json.weightsManifest) parts.push(...(await readGroup(path, group, files)));
  const data = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { name: path, json, specs: json.weightsManifest.flatMap(({ weights }) => weights), data };
}

async function findModelJson(
  files: readonly GivenFile[],
): Promise<{ readonly path: string; readonly json: ModelJson }> {
  const candidates = files.filter(({ path }) => /\.json$/i.test(path));
  if (candidates.length === 0) throw new FileProblem(noModelJson(files));
  const read: { path: string; content: unknown }[] = [];
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
  const { format, modelTopology, weightsManifest } = content;
  const isGraph = format === 'graph-model' || (isObject(modelTopology) && 'node' in modelTopology);
  if (isGraph) {
    throw new FileProblem(
      `‘${path}’ is a graph model. Graph models are frozen for inference: their batch normalization is folded into ` +
        'other operations and has no statistics left to look at. Convert the Keras model to a layers model ' +
        '(tensorflowjs_converter --input_format=keras --output_format=tfjs_layers_model), repair that, and convert the ' +
        'result for inference again.',
    );
  }
  if (!isObject(modelTopology)) {
    throw new FileProblem(
      `‘${path}’ has no modelTopology: it holds weights alone. Save the whole model with model.save().`,
    );
  }
  const isManifest =
    Array.isArray(weightsManifest) &&
    weightsManifest.length > 0 &&
    weightsManifest.every(
      (group) => isObject(group) && Array.isArray(group.paths) && Array.isArray(group.weights),
    );
  if (!isManifest) {
    throw new FileProblem(
      `‘${path}’ has no weightsManifest, so it does not say which files its weights are in. Save the model with its ` +
        'weights: model.save().',
    );
  }
  return content as unknown as ModelJson;
}

/** The bytes of a group's files, checked against what the group's weights take. */
async function readGroup(
  modelPath: string,
  { paths, weights }: WeightsGroup,
  files: readonly GivenFile[],
): Promise<Uint8Array[]> {
  const missing = paths.filter((path) => find(files, path) === undefined);
  if (missing.length > 0) {
    const others = files.filter(({ path }) => path !== modelPath).map(({ path }) => path);
    throw new FileProblem(
      `‘${modelPath}’ says that its weights are in ${listed(paths)}, but ${listed(missing)} ` +
        `${missing.length === 1 ? 'is' : 'are'} not among the files${others.length > 0 ? ` (${listed(others)})` : ''}. ` +
        'Add what is missing; keep the names as they are.',
    );
  }
  const read: Uint8Array[] = [];
  for (const path of paths) {
    read.push(new Uint8Array(await (find(files, path) as GivenFile).file.arrayBuffer()));
  }
  const pointer = paths.find((_, i) => isPointer(new TextDecoder().decode(read[i]!.subarray(0, 64))));
  if (pointer !== undefined) {
    throw new FileProblem(
      `‘${pointer}’ is a Git LFS pointer, not the weights: run git lfs pull to get them.`,
    );
  }
  const expected = weights.map(bytesOf);
  const came = read.reduce((sum, { length }) => sum + length, 0);
  const sum = expected.reduce<number>((total, bytes) => total + (bytes ?? 0), 0);
  if (!expected.includes(undefined) && came !== sum) {
    const lengths = paths.map((path, i) => `‘${path}’ ${bytes(read[i]!.length)}`).join(', ');
    throw new FileProblem(
      `The weights are not those of ‘${modelPath}’, or not whole: expected ${bytes(sum)} for its ${weights.length} ` +
        `weights, got ${lengths}. Take all files from the same download.`,
    );
  }
  return read;
}

/** By its path, else by its name alone: dropped files have lost their folders. */
function find(files: readonly GivenFile[], path: string): GivenFile | undefined {
  return (
    files.find((file) => file.path.endsWith(path)) ?? files.find((file) => nameOf(file.path) === nameOf(path))
  );
}

const isPointer = (text: string) => text.startsWith('version https://git-lfs');
const bytes = (count: number) => `${count.toLocaleString('en')} bytes`;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
