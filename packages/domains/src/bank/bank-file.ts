/**
 * The file of a statistics bank, version 1: a safetensors file, so that other languages can read it.
 *
 * `__metadata__` holds, in this order, `sha256` (over the whole file, with zeros in the place of its digits), `format`,
 * `version`, `layers` (JSON, a list of `{"name", "channels"}` in the model's order) and `domains` (JSON, a sorted list of
 * names). The tensors follow domain by domain and layer by layer, two float32 vectors each:
 * `<domain>/<position>/<layer>/moving_mean` and `.../moving_variance`, the domain as `encodeURIComponent` writes it, the
 * position from 0. Both keep names with slashes apart, and layers of nested models that have the same name.
 *
 * The same content always gives the same bytes, and no others are read.
 */
import { BankFileError } from '../errors.ts';
import { firstDifference, type LayerShape } from '../layer-shapes.ts';
import { NO_CHECKSUM, sameBytes, sealed } from './checksum.ts';
import { isDomainName } from './domain-name.ts';
import { type NamedVector, readSafetensors, writeSafetensors } from './safetensors.ts';

/** One layer's statistics, one value per channel. */
export interface LayerValues {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** What a file holds. */
export interface BankContent {
  readonly layers: readonly LayerShape[];
  /** For each domain one entry per layer. */
  readonly domains: ReadonlyMap<string, readonly LayerValues[]>;
}

const FORMAT = 'rebatch-statistics-bank';
const VERSION = '1';

/** How every file begins, after the 8 bytes of the header's length. */
const BEGINNING = new TextEncoder().encode('{"__metadata__":{"sha256":"');
const LENGTH_BYTES = 8;
const CHECKSUM_AT = LENGTH_BYTES + BEGINNING.length;

/** The file of this content. */
export function encodeBank({ layers, domains }: BankContent): Uint8Array {
  const names = [...domains.keys()].sort();
  const metadata = {
    sha256: NO_CHECKSUM,
    format: FORMAT,
    version: VERSION,
    layers: JSON.stringify(layers.map(({ name, channels }) => ({ name, channels }))),
    domains: JSON.stringify(names),
  };
  const vectors = names.flatMap((domain) =>
    domains.get(domain)!.flatMap(({ mean, variance }, at): NamedVector[] => {
      const [meanName, varianceName] = vectorNames(domain, layers, at);
      return [
        { name: meanName, values: mean },
        { name: varianceName, values: variance },
      ];
    }),
  );
  return sealed(writeSafetensors({ metadata, vectors }), CHECKSUM_AT);
}

/**
 * The domains of a file, for a model with these layers. The values are as they are in the file, NaN included.
 *
 * @throws {BankFileError} if the bytes are not exactly what `encodeBank` gives for such layers.
 */
export function decodeBank(bytes: Uint8Array, layers: readonly LayerShape[]): BankContent['domains'] {
  const begins = BEGINNING.every((byte, i) => bytes[LENGTH_BYTES + i] === byte);
  if (!begins || bytes.length < CHECKSUM_AT + NO_CHECKSUM.length) {
    throw new BankFileError(
      `Expected the file of a statistics bank (${FORMAT}), got ${bytes.length} bytes that do not begin like one. ` +
        'Make such files with bank.save().',
    );
  }
  if (!sameBytes(bytes, sealed(bytes, CHECKSUM_AT))) {
    throw new BankFileError(
      'The checksum does not match: the file is damaged, cut off, or was changed after it was saved. ' +
        'Fetch or save it again.',
    );
  }
  const { metadata, vectors } = readSafetensors(bytes);
  checkKind(metadata);
  const saved = parseLayers(metadata.layers);
  const difference = firstDifference(layers, saved);
  if (difference !== undefined) {
    throw new BankFileError(
      `The file is of another model than the bank's: ${difference}. Load it into a bank of the model that it was ` +
        'saved from.',
    );
  }
  const domains = collect(parseDomains(metadata.domains), layers, vectors);
  if (!sameBytes(bytes, encodeBank({ layers, domains }))) {
    throw new BankFileError(
      'The header is not written as Rebatch writes it (repeated keys, other keys or another order). ' +
        'Make such files with bank.save().',
    );
  }
  return domains;
}

/** Distinct for distinct domains and positions. */
function vectorNames(domain: string, layers: readonly LayerShape[], at: number): [string, string] {
  const layer = `${encodeURIComponent(domain)}/${at}/${layers[at]!.name}`;
  return [`${layer}/moving_mean`, `${layer}/moving_variance`];
}

function collect(
  names: readonly string[],
  layers: readonly LayerShape[],
  vectors: readonly NamedVector[],
): BankContent['domains'] {
  let next = 0;
  const take = (name: string, channels: number): Float32Array => {
    const vector = vectors[next++];
    if (vector?.name === name && vector.values.length === channels) return vector.values;
    const came = vector === undefined ? 'no more' : `'${vector.name}' with ${vector.values.length}`;
    throw new BankFileError(`Expected tensor '${name}' with ${channels} values, got ${came}.`);
  };
  const domains = new Map(
    names.map((domain) => {
      const values = layers.map(({ channels }, at) => {
        const [mean, variance] = vectorNames(domain, layers, at);
        return { mean: take(mean, channels), variance: take(variance, channels) };
      });
      return [domain, values] as const;
    }),
  );
  if (next === vectors.length) return domains;
  throw new BankFileError(
    `Expected ${next} tensors for ${names.length} domains and ${layers.length} layers, got ${vectors.length}.`,
  );
}

function checkKind(metadata: Readonly<Record<string, string>>): void {
  const { format, version } = metadata;
  if (format === FORMAT && version === VERSION) return;
  const advice =
    format === FORMAT ? ' Update @rebatch/domains, or save the bank again with this version.' : '';
  throw new BankFileError(
    `Expected format ${FORMAT}, version ${VERSION}, got ${JSON.stringify(format)}, version ` +
      `${JSON.stringify(version)}.${advice}`,
  );
}

function parseLayers(text: string | undefined): LayerShape[] {
  const isLayer = (layer: Partial<LayerShape> | null) =>
    typeof layer?.name === 'string' && Number.isSafeInteger(layer.channels) && layer.channels! > 0;
  const layers = parse(text);
  if (Array.isArray(layers) && layers.every(isLayer)) return layers;
  throw new BankFileError(`Expected a list of layers with name and channels, got ${text}.`);
}

function parseDomains(text: string | undefined): string[] {
  const names = parse(text);
  if (Array.isArray(names) && names.every(isDomainName) && new Set(names).size === names.length) return names;
  throw new BankFileError(`Expected a list of different, non-empty domain names, got ${text}.`);
}

/** JSON, or undefined. */
function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
