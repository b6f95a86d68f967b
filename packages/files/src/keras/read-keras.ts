import type { ByteSource } from '../bytes/byte-source.ts';
import { UnsupportedFileError } from '../errors.ts';
import { H5File } from '../h5/h5-file.ts';
import { parseJsonObject } from '../json.ts';
import { type Limits, limitsOf, within } from '../limits.ts';
import type { OpenedModel, OpenOptions } from '../opened-model.ts';
import { ZipFile } from '../zip/zip-file.ts';
import { type KerasParts, kerasModel } from './keras-model.ts';

/** The entry of a `.keras` file that holds its weights. */
export const WEIGHTS = 'model.weights.h5';

/** The model in a `.keras` file: a zip of `config.json`, `metadata.json` and `model.weights.h5`. */
export async function kerasFileModel(source: ByteSource, options: OpenOptions): Promise<OpenedModel> {
  const limits = limitsOf(options.limits);
  const { parts } = await kerasFileParts(source, limits);
  return kerasModel(parts, options, limits);
}

/** The configuration of such a model, the file of its weights, and the archive that both are in. */
export async function kerasFileParts(
  source: ByteSource,
  limits: Limits,
): Promise<{ readonly parts: KerasParts; readonly zip: ZipFile }> {
  const zip = await ZipFile.open(source, limits);
  checkContents(zip);
  const config = await readJson(zip, 'config.json', limits);
  const { keras_version: version } = zip.entries.has('metadata.json')
    ? await readJson(zip, 'metadata.json', limits)
    : config;
  const weights = await H5File.open(await zip.read(WEIGHTS), limits);
  const origin = {
    name: source.name,
    kind: 'keras-v3' as const,
    ...(typeof version === 'string' && { kerasVersion: version }),
  };
  return { parts: { origin, config, weights }, zip };
}

async function readJson(zip: ZipFile, name: string, limits: Limits) {
  const what = `'${name}' of ${zip.name}`;
  within(limits, 'maxJsonBytes', zip.entries.get(name)?.size ?? 0, `The length of ${what}`);
  const entry = await zip.read(name);
  return parseJsonObject(await entry.read(0, entry.size), what, limits);
}

/** Other archives are told apart by what is in them. */
function checkContents({ name, entries }: ZipFile): void {
  const names = [...entries.keys()];
  const has = (pattern: RegExp) => names.some((entry) => pattern.test(entry));
  if (entries.has('config.json') && entries.has(WEIGHTS)) return;
  const advice = (() => {
    if (has(/(^|\/)(data\.pkl|constants\.pkl)$/)) {
      return 'is a PyTorch file. Export it to ONNX or rebuild it in Keras; its weights alone do not say how it computes.';
    }
    if (has(/(^|\/)saved_model\.pb$/))
      return 'holds a SavedModel. Unpack it, and convert the folder: tensorflowjs_converter --input_format=tf_saved_model folder out.';
    if (has(/^model\.weights\.(npz|json)$/))
      return "keeps its weights as npz or in several files. Save it again with model.save('model.keras').";
    if (has(/(^|\/)model\.json$/)) return 'holds a model.json. Unpack it first, and open the folder.';
    if (has(/\.npy$/)) return 'is an archive of NumPy arrays, not a model.';
    if (has(/\.mlmodel$/)) return 'is a Core ML package. Convert the model that it was made of.';
    return `is a zip archive, but none of Keras: it has no ${entries.has('config.json') ? WEIGHTS : 'config.json'}.`;
  })();
  throw new UnsupportedFileError(`${name} ${advice}`);
}
