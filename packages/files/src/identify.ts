// What a file is, by its first bytes and its name; and for what cannot be opened, how to convert it.

import type { ByteSource } from './bytes/byte-source.ts';
import { latin1 } from './bytes/cursor.ts';
import { H5_SIGNATURE } from './h5/h5-file.ts';
import { ZIP_SIGNATURE } from './zip/zip-file.ts';

/** What can be opened: `'model.json'`, `'h5'` and `'keras'` (any zip archive; what is in it tells). */
export type FileKind = 'model.json' | 'h5' | 'keras' | 'other';

/** A file's kind, and for `'other'` what it is and how to convert it, as the end of a sentence. */
export interface Identified {
  readonly kind: FileKind;
  readonly advice?: string;
}

/** How many of the first bytes `identify` looks at. */
export const HEAD_BYTES = 64;

const CONVERT =
  'tensorflowjs_converter --input_format=tf_saved_model --output_format=tfjs_graph_model folder out';

const ADVICE = {
  savedModel: `is a SavedModel of TensorFlow. Convert its folder: ${CONVERT}`,
  frozen: `is a frozen graph of TensorFlow. Convert it: tensorflowjs_converter --input_format=tf_frozen_model --output_node_names=NAME file out`,
  checkpoint: `is a checkpoint of TensorFlow, which has weights without a model. Load it in Python, save the model with model.save('model.keras'), and open that.`,
  onnx: `is an ONNX model. Convert it: onnx2tf -i model.onnx -o folder, then ${CONVERT}`,
  tflite: `is a TensorFlow Lite model, whose operations are fused and quantized for other machines. Convert the model that it was made of.`,
  pytorch: `is a PyTorch file. Export the model with torch.onnx.export, then: onnx2tf -i model.onnx -o folder, and ${CONVERT}`,
  safetensors: `has weights without a model (safetensors). Load it into the model in Python, and save that with model.save('model.keras') or torch.onnx.export.`,
  coreml: `is a Core ML model. Convert the model that it was made of.`,
  gguf: `is a model for llama.cpp (GGUF), which no converter turns into one for TensorFlow.js.`,
  numpy: `holds NumPy arrays, not a model.`,
  pickle: `is a Python pickle, which runs code when it is opened. Load it in Python, and save the model with model.save('model.keras').`,
  oldTfjs:
    'is a model of TensorFlow.js before 1.0. Convert the SavedModel or frozen graph that it was made of once more.',
} as const;

/** By the name alone, where the bytes do not tell; the longest ends first. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)saved_model\.pb(txt)?$/, ADVICE.savedModel],
  [/(^|\/)tensorflowjs_model\.pb$/, ADVICE.oldTfjs],
  [/(^|\/)weights_manifest\.json$/, ADVICE.oldTfjs],
  [/\.(onnx|ort)$/, ADVICE.onnx],
  [/\.(tflite|lite|task)$/, ADVICE.tflite],
  [/\.safetensors$/, ADVICE.safetensors],
  [/\.(pt|pth|ptl|torchscript|pt2)$/, ADVICE.pytorch],
  [/\.(mlmodel|mlpackage|mlmodelc)$/, ADVICE.coreml],
  [/\.gguf$/, ADVICE.gguf],
  [/\.np[yz]$/, ADVICE.numpy],
  [/\.(pkl|pickle|joblib)$/, ADVICE.pickle],
  [/(^|\/)checkpoint$|\.ckpt$|\.index$|\.meta$|\.data-\d+-of-\d+$/, ADVICE.checkpoint],
  [/\.pb(txt)?$/, ADVICE.frozen],
];

/** What a file is, by its first `HEAD_BYTES` bytes (fewer where it is shorter) and its name. */
export function identify(name: string, head: Uint8Array): Identified {
  const starts = (signature: readonly number[], at = 0) =>
    signature.every((byte, i) => head[at + i] === byte);
  const text = latin1(head.subarray(0, HEAD_BYTES));
  if (starts(H5_SIGNATURE)) return { kind: 'h5' };
  const lower = name.toLowerCase();
  const other = (advice: string): Identified => ({ kind: 'other', advice });
  const named = BY_NAME.find(([pattern]) => pattern.test(lower));
  // A PyTorch file is a zip archive as well, and says what it is inside, too.
  if (starts(ZIP_SIGNATURE)) return named ? other(named[1]) : { kind: 'keras' };
  if (text.slice(4, 8) === 'TFL3') return other(ADVICE.tflite);
  if (text.startsWith('GGUF')) return other(ADVICE.gguf);
  if (text.startsWith('\x93NUMPY')) return other(ADVICE.numpy);
  // safetensors: the length of a JSON header in 8 bytes, then the header.
  if (starts([0, 0, 0], 5) && text.slice(8, 10) === '{"') return other(ADVICE.safetensors);
  if (named) return other(named[1]);
  // A pickle of protocol 2 and above, which is what PyTorch wrote before 1.6.
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) return other(ADVICE.pickle);
  // ONNX: version of the format (field 1), then the producer's name (field 2).
  const producer = text.slice(4).match(/^(pytorch|onnx|tf2onnx|keras2onnx|skl2onnx)/);
  if (head[0] === 0x08 && head[2] === 0x12 && producer) return other(ADVICE.onnx);
  // SavedModel: schema version 1 (field 1), then a graph (field 2).
  if (starts([0x08, 0x01, 0x12])) return other(ADVICE.savedModel);
  if (/^(\xef\xbb\xbf)?\s*\{/.test(text)) return { kind: 'model.json' };
  return other(
    head.length === 0
      ? 'is empty.'
      : 'is of a kind that is not known here. Models are opened from model.json, .h5 and .keras.',
  );
}

/** What an open file is. */
export async function identifySource(source: ByteSource): Promise<Identified> {
  return identify(source.name, await source.read(0, Math.min(HEAD_BYTES, source.size)));
}
