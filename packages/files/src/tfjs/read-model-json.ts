import type { io } from '@tensorflow/tfjs-core';
import type { ByteSource } from '../bytes/byte-source.ts';
import { checkArtifacts, formatOf } from '../check/check-artifacts.ts';
import { bytesOfSpecs } from '../check/check-weights.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { isObject, type JsonObject, kind, listAt, objectAt, parseJsonObject } from '../json.ts';
import { type Limits, limitsOf, within } from '../limits.ts';
import type { OpenedModel, OpenOptions } from '../opened-model.ts';
import { checkPath, type FileSet } from './model-files.ts';

/** What `model.json` has beside the topology and the weights, kept as it is. */
const KEPT = [
  ...(['format', 'generatedBy', 'convertedBy', 'signature', 'trainingConfig'] as const),
  ...(['userDefinedMetadata', 'modelInitializer', 'initializerSignature'] as const),
] satisfies readonly (keyof io.ModelJSON)[];

/** The model of a `model.json` and its weight files, which are found in `files`. */
export async function modelJsonModel(
  source: ByteSource,
  files: FileSet,
  options: OpenOptions,
): Promise<OpenedModel> {
  const limits = limitsOf(options.limits);
  within(limits, 'maxJsonBytes', source.size, `The length of ${source.name}`);
  const json = parseJsonObject(await source.read(0, source.size), source.name, limits);
  if (!('modelTopology' in json)) throw notAModel(json, source.name);
  const topology = objectAt(json, 'modelTopology', source.name);
  const manifest = json.weightsManifest === undefined ? [] : listAt(json, 'weightsManifest', source.name);
  const groups = manifest.map((group) => readGroup(group, source.name, limits));
  const specs = groups.flatMap((group) => group.specs);
  // All of what can be known without the weights is checked before they are read.
  checkArtifacts({ modelTopology: topology, weightSpecs: specs }, limits);
  bytesOfSpecs(specs, limits);
  const artifacts: io.ModelArtifacts = { modelTopology: topology };
  for (const key of KEPT) if (json[key] !== undefined) Object.assign(artifacts, { [key]: json[key] });
  if (groups.length > 0) {
    artifacts.weightSpecs = specs;
    artifacts.weightData = await readShards(groups, files, source.name, options, limits);
  }
  checkArtifacts(artifacts, limits);
  const format = formatOf(topology);
  return { format, artifacts, source: { name: source.name, kind: 'model.json' }, notes: [] };
}

interface Group {
  readonly paths: readonly string[];
  readonly specs: io.WeightsManifestEntry[];
  /** Undefined when some of its weights are strings. */
  readonly bytes: number | undefined;
}

function readGroup(value: unknown, name: string, limits: Limits): Group {
  if (!isObject(value)) {
    throw new MalformedFileError(
      `A group of the manifest of ${name} should be an object, but is ${kind(value)}.`,
    );
  }
  const paths = listAt(value, 'paths', `the manifest of ${name}`).map((path) => checkPath(path, name));
  within(limits, 'maxWeights', paths.length, `The number of weight files of ${name}`);
  const weights = listAt(value, 'weights', `the manifest of ${name}`);
  const bytes = bytesOfSpecs(weights, limits);
  return { paths, specs: weights as unknown as io.WeightsManifestEntry[], bytes };
}

/** The weights of all groups, one behind the other. Lengths are compared before anything is read. */
async function readShards(
  groups: readonly Group[],
  files: FileSet,
  name: string,
  { signal, onProgress }: OpenOptions,
  limits: Limits,
): Promise<ArrayBuffer> {
  const opened: ByteSource[] = [];
  try {
    let total = 0;
    for (const { paths, bytes } of groups) {
      let size = 0;
      for (const path of paths) {
        signal?.throwIfAborted();
        const shard = await files.open(path);
        opened.push(shard);
        size += shard.size;
        within(limits, 'maxBytes', total + size, `The bytes of the weights of ${name}`);
      }
      if (bytes !== undefined && size !== bytes) {
        throw new MalformedFileError(
          `The weight files ${paths.slice(0, 3).join(', ')} of ${name} have ${size} bytes together, but the manifest describes ${bytes}: ${size < bytes ? 'one is cut short or missing' : 'they belong to another model'}.`,
        );
      }
      total += size;
    }
    const data = new Uint8Array(total);
    let loaded = 0;
    // What came from the network is in memory already: each file is given up once it is copied.
    for (let [shard] = opened; shard; [shard] = opened) {
      signal?.throwIfAborted();
      data.set(await shard.read(0, shard.size), loaded);
      await shard.close();
      opened.shift();
      loaded += shard.size;
      onProgress?.({ loaded, total });
    }
    return data.buffer;
  } finally {
    await Promise.all(opened.map((shard) => shard.close()));
  }
}

/** Other JSON files that people take for a model. */
function notAModel(json: JsonObject, name: string): Error {
  if ('class_name' in json && 'config' in json) {
    return new UnsupportedFileError(
      `${name} is the configuration of a Keras model without weights. Open its weights, a .h5 file, with this text as the option config.`,
    );
  }
  return new UnsupportedFileError(
    `${name} is JSON, but no model of TensorFlow.js: it has no modelTopology, only ${Object.keys(json).slice(0, 5).join(', ') || 'nothing'}.`,
  );
}
