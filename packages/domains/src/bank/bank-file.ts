// The file of a statistics bank, version 2: a safetensors file, so that other languages can read it.
//
// `__metadata__` holds, in this order, `sha256` (over the whole file, with zeros in the place of its digits), `format`,
// `version`, `layers` (JSON, a list of `{"name", "channels"}` in the model's order) and `domains` (JSON, a sorted list of
// names). There is one float32 tensor for each domain, [2, channels of all layers], `<domain>/moving_statistics`, the domain as
// `encodeURIComponent` writes it: the means of all layers, one layer after the other, then their variances.
//
// Version 1, which is read, too, has a tensor for each vector, domain by domain and layer by layer:
// `<domain>/<position>/<layer>/moving_mean` and `.../moving_variance`, the position from 0.
//
// The same content always gives the same bytes, and no others are read.
import { shown } from '@rebatch/stats/~internal';
import { BankFileError } from '../errors.ts';
import { firstDifference, type LayerShape } from '../layer-shapes.ts';
import { checksumOf, NO_CHECKSUM, seal } from './checksum.ts';
import { isDomainName } from './domain-name.ts';
import { joined } from './domain-values.ts';
import { beginningOf, type NamedTensor, readSafetensors, writeSafetensors } from './safetensors.ts';

/** What a file holds. */
export interface BankContent {
  readonly layers: readonly LayerShape[];
  /** The values of each domain, as `joined` lays them out. */
  readonly domains: ReadonlyMap<string, Float32Array>;
}

const FORMAT = 'rebatch-statistics-bank';
const VERSION = '2';
const OLD_VERSION = '1';

/** How every file begins, after the 8 bytes of the header's length. */
const BEGINNING = new TextEncoder().encode('{"__metadata__":{"sha256":"');
const LENGTH_BYTES = 8;
const CHECKSUM_AT = LENGTH_BYTES + BEGINNING.length;

/** The file of this content. */
export function encodeBank({ layers, domains }: BankContent): Uint8Array {
  const names = [...domains.keys()].sort();
  const tensors = tensorsOf(names, layers).map((tensor, at) => ({
    ...tensor,
    values: domains.get(names[at]!)!,
  }));
  const file = writeSafetensors({ metadata: metadataOf(VERSION, NO_CHECKSUM, layers, names), tensors });
  seal(file, CHECKSUM_AT);
  return file;
}

/**
 * The domains of a file, for a model with these layers. The values are as they are in the file, NaN included.
 *
 * @throws {BankFileError} if the bytes are not exactly what `encodeBank` gives for such layers, or gave in version 1.
 */
export function decodeBank(bytes: Uint8Array, layers: readonly LayerShape[]): BankContent['domains'] {
  const begins = BEGINNING.every((byte, i) => bytes[LENGTH_BYTES + i] === byte);
  if (!begins || bytes.length < CHECKSUM_AT + NO_CHECKSUM.length) {
    throw new BankFileError(
      `Expected the file of a statistics bank (${FORMAT}), got ${bytes.length} bytes that do not begin like one. ` +
        'Make such files with bank.save().',
    );
  }
  const checksum = checksumOf(bytes, CHECKSUM_AT);
  if (textAt(bytes, CHECKSUM_AT, checksum.length) !== checksum) {
    throw new BankFileError(
      'The checksum does not match: the file is damaged, cut off, or was changed after it was saved. ' +
        'Fetch or save it again.',
    );
  }
  const { metadata, tensors } = readSafetensors(bytes);
  const version = versionOf(metadata);
  const saved = parseLayers(metadata.layers);
  const difference = firstDifference(layers, saved);
  if (difference !== undefined) {
    throw new BankFileError(
      `The file is of another model than the bank's: ${difference}. Load it into a bank of the model that it was ` +
        'saved from.',
    );
  }
  const names = parseDomains(metadata.domains);
  const expected = version === VERSION ? tensorsOf(names, layers) : vectorsOf(names, layers);
  checkTensors(expected, tensors, names.length, layers.length);
  // Values may be anything. All that comes before them is what it has to be, or not.
  const beginning = beginningOf(metadataOf(version, checksum, layers, names), expected);
  if (!beginning.every((byte, i) => bytes[i] === byte) || !areSorted(names)) {
    throw new BankFileError(
      'The header is not written as Rebatch writes it (repeated keys, other keys or another order). ' +
        'Make such files with bank.save().',
    );
  }
  const valuesOf = version === VERSION ? (at: number) => tensors[at]!.values : joinedVectors(tensors, layers);
  return new Map(names.map((name, at) => [name, valuesOf(at)]));
}

function metadataOf(
  version: string,
  sha256: string,
  layers: readonly LayerShape[],
  names: readonly string[],
): Record<string, string> {
  return {
    sha256,
    format: FORMAT,
    version,
    layers: JSON.stringify(layers.map(({ name, channels }) => ({ name, channels }))),
    domains: JSON.stringify(names),
  };
}

type Expected = Omit<NamedTensor, 'values'>;

/** One for each domain. */
function tensorsOf(names: readonly string[], layers: readonly LayerShape[]): Expected[] {
  const channels = layers.reduce((sum, layer) => sum + layer.channels, 0);
  return names.map((name) => ({
    name: `${encodeURIComponent(name)}/moving_statistics`,
    shape: [2, channels],
  }));
}

/** Those of version 1: two for each layer of each domain. The position tells layers of one name apart. */
function vectorsOf(names: readonly string[], layers: readonly LayerShape[]): Expected[] {
  return names.flatMap((domain) =>
    layers.flatMap(({ name, channels }, at) =>
      ['moving_mean', 'moving_variance'].map((which) => ({
        name: `${encodeURIComponent(domain)}/${at}/${name}/${which}`,
        shape: [channels],
      })),
    ),
  );
}

/** The values of the domain at a place, from the vectors of version 1. */
function joinedVectors(vectors: readonly NamedTensor[], layers: readonly LayerShape[]) {
  return (domain: number): Float32Array =>
    joined(
      layers.map((_, at) => {
        const first = 2 * (domain * layers.length + at);
        return { mean: vectors[first]!.values, variance: vectors[first + 1]!.values };
      }),
    );
}

function checkTensors(
  expected: readonly Expected[],
  tensors: readonly NamedTensor[],
  domains: number,
  layers: number,
): void {
  for (const [at, { name, shape }] of expected.entries()) {
    const came = tensors[at];
    if (came?.name === name && came.shape.join() === shape.join()) continue;
    const got = came === undefined ? 'no more' : `'${came.name}' of shape [${came.shape.join(', ')}]`;
    throw new BankFileError(`Expected tensor '${name}' of shape [${shape.join(', ')}], got ${got}.`);
  }
  if (tensors.length === expected.length) return;
  throw new BankFileError(
    `Expected ${expected.length} tensors for ${domains} domains and ${layers} layers, got ${tensors.length}.`,
  );
}

/** By code unit, as `save` sorts them. */
function areSorted(names: readonly string[]): boolean {
  return names.every((name, at) => at === 0 || names[at - 1]! < name);
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** @throws {BankFileError} for another format, or a version that is not known. */
function versionOf({ format, version }: Readonly<Record<string, string>>): string {
  if (format === FORMAT && (version === VERSION || version === OLD_VERSION)) return version;
  const advice =
    format === FORMAT ? ' Update @rebatch/domains, or save the bank again with this version.' : '';
  throw new BankFileError(
    `Expected format ${FORMAT}, version ${OLD_VERSION} or ${VERSION}, got ${shown(format)}, version ` +
      `${shown(version)}.${advice}`,
  );
}

function parseLayers(text: string | undefined): LayerShape[] {
  const isLayer = (layer: Partial<LayerShape> | null) =>
    typeof layer?.name === 'string' && Number.isSafeInteger(layer.channels) && layer.channels! > 0;
  const layers = parse(text);
  if (Array.isArray(layers) && layers.every(isLayer)) return layers;
  throw new BankFileError(`Expected a list of layers with name and channels, got ${shortened(text)}.`);
}

function parseDomains(text: string | undefined): string[] {
  const names = parse(text);
  if (Array.isArray(names) && names.every(isDomainName) && new Set(names).size === names.length) return names;
  throw new BankFileError(`Expected a list of different, non-empty domain names, got ${shortened(text)}.`);
}

const shortened = (text: string | undefined) =>
  text === undefined || text.length < 100 ? text : shown(text);

/** JSON, or undefined. */
function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
