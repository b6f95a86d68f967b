// What cannot be opened says what it is, and what to do.

import { describe, expect, it } from 'vitest';
import { type ModelFileError, openModel, UnsupportedFileError, UnsupportedLayerError } from './index.ts';
import { fixture } from './testing/fixtures.ts';

const textBytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

async function refusal(name: string, bytes: Uint8Array): Promise<ModelFileError> {
  const opened = await openModel([{ name, bytes }]).catch((error: unknown) => error);
  if (!(opened instanceof Error)) throw new Error(`${name} was opened.`);
  return opened as ModelFileError;
}

describe('a layer that tf.layers lacks', () => {
  it.each([
    [
      'keras3',
      'refused-group_norm.keras',
      /'group_normalization' \(GroupNormalization\).*LayerNormalization/,
    ],
    ['keras3', 'refused-renorm.keras', /'batch_normalization\w*' \(BatchNormalization\) has renorm = true/],
    ['keras3', 'refused-groups.keras', /'conv2d\w*' \(Conv2D\) has groups = 2/],
    ['keras3', 'refused-reset_after.keras', /'gru\w*' \(GRU\) has reset_after = true.*reset_after=False/],
    ['keras3', 'refused-elu.keras', /has alpha = 0.5/],
    ['keras3', 'refused-dilated.keras', /has dilation_rate = \[2,2\]/],
    ['keras3', 'refused-bilinear.keras', /has interpolation = "bilinear"/],
    ['keras3', 'refused-hard_sigmoid.keras', /x\/6 \+ 1\/2 in Keras 3 but x\/5 \+ 1\/2 in tf.layers/],
    ['keras3', 'refused-keepdims.keras', /has keepdims = true.*Reshape/],
    ['keras3', 'refused-operation.keras', /\(Multiply\).*(operation on Keras tensors|is given number 2)/],
    ['keras3', 'refused-attention.keras', /\(MultiHeadAttention\) is not in tf.layers/],
    ['keras2', 'refused-renorm.h5', /'stem_bn' \(BatchNormalizationV2\) has renorm = true/],
    ['keras2', 'refused-lambda.h5', /'only' \(Lambda\).*customLayers/],
  ] as const)('is refused by name: %s, %s', async (archive, name, message) => {
    const error = await refusal(name, fixture(archive, name).bytes);
    expect(error).toBeInstanceOf(UnsupportedLayerError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('tensorflowjs_converter');
  });
});

describe('an HDF5 file that is none of a model', () => {
  it.each([
    ['refused-class.h5', /model of the class MyModel/],
    ['refused-keras1.h5', /written by Keras 1.2.2/],
    ['refused-theano.h5', /written with Theano/],
    ['refused-latest.h5', /libver='latest'/],
    ['refused-lzf.h5', /compressed with lzf/],
    ['not-keras.h5', /none of a Keras model: it has measurements/],
    ['cnn-weights.h5', /holds weights without a model.*option config/],
  ])('is refused: %s', async (name, message) => {
    const error = await refusal(name, fixture('keras2', name).bytes);
    expect(error).toBeInstanceOf(UnsupportedFileError);
    expect(error.message).toMatch(message);
  });
});

describe('a file of another tool', () => {
  const zeros = (length: number) => '\0'.repeat(length);
  it.each([
    ['saved_model.pb', '\x08\x01\x12\x90', /is a SavedModel.*--input_format=tf_saved_model/],
    ['model.bin', '\x08\x01\x12\x90', /is a SavedModel/],
    ['frozen.pb', '\n\x1f\n\x05input', /frozen graph.*tf_frozen_model/],
    ['net.onnx', '\x08\x07\x12\x07pytorch', /is an ONNX model.*onnx2tf/],
    ['net', '\x08\x07\x12\x07pytorch', /is an ONNX model/],
    ['net.tflite', `\x1c\0\0\0TFL3${zeros(20)}`, /TensorFlow Lite/],
    ['net', `\x1c\0\0\0TFL3${zeros(20)}`, /TensorFlow Lite/],
    ['net.pth', 'PK\x03\x04 a zip of pickles', /PyTorch.*torch.onnx.export/],
    ['net.pt', '\x80\x02\x8a\nl\xfc', /PyTorch/],
    ['weights', '\x80\x04\x95', /Python pickle/],
    ['net.safetensors', `\x40${zeros(7)}{"a":{}}`, /safetensors/],
    ['net', `\x40${zeros(7)}{"a":{}}`, /safetensors/],
    ['net.mlmodel', '\x08\x04\x12', /Core ML/],
    ['net.mlpackage', 'PK\x03\x04', /Core ML/],
    ['net.gguf', 'GGUF\x03', /GGUF/],
    ['net', 'GGUF\x03', /GGUF/],
    ['arrays.npz', 'PK\x03\x04', /NumPy/],
    ['array', '\x93NUMPY\x01\0', /NumPy/],
    ['model.ckpt.index', '\0\0', /checkpoint of TensorFlow/],
    ['weights_manifest.json', '[]', /before 1.0/],
    ['tensorflowjs_model.pb', '\n', /before 1.0/],
    ['photo.png', '\x89PNG\r\n\x1a\n', /not known here.*model.json, .h5 and .keras/],
    ['nothing', '', /is empty/],
    ['config.json', '{"class_name": "Sequential", "config": {}}', /without weights.*option config/],
    ['package.json', '{"name": "a", "version": "1"}', /no modelTopology, only name, version/],
  ])('is told by what it is: %s', async (name, text, message) => {
    const error = await refusal(name, textBytes(text));
    expect(error).toBeInstanceOf(UnsupportedFileError);
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(name)).toBe(true);
  });

  it('is told also in a list of files', async () => {
    const files = ['variables/variables.index', 'saved_model.pb', 'fingerprint.pb'].map((name) => {
      return { name, bytes: textBytes('\x08\x01\x12') };
    });
    await expect(openModel(files)).rejects.toThrow(/is a SavedModel/);
  });
});
