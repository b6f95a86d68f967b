// Small models of TensorFlow.js's own kinds, made here.

import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** What `model.save` hands to whoever stores it. */
export async function savedByLayers(): Promise<tf.io.ModelArtifacts> {
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [6, 6, 2], name: 'conv' }),
      tfl.layers.batchNormalization({ name: 'bn' }),
      tfl.layers.globalAveragePooling2d({ name: 'gap' }),
      tfl.layers.dense({ units: 2, name: 'dense' }),
    ],
  });
  model.setUserDefinedMetadata({ about: 'digits' });
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  model.dispose();
  return saved!;
}

/** y = x w + b, with w of uint8 and b of float16, a table of words, and a call of a function. */
export function quantizedGraph(): tf.io.ModelArtifacts {
  const float = { type: 'DT_FLOAT' };
  const shape = (...dims: number[]) => ({ shape: { dim: dims.map((size) => ({ size: String(size) })) } });
  const node = (name: string, op: string, input: string[], attr: object = { T: float }) => ({
    name,
    op,
    input,
    attr,
  });
  const weightSpecs: tf.io.WeightsManifestEntry[] = [
    { name: 'w', shape: [3, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
    { name: 'b', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } },
    { name: 'words', shape: [2], dtype: 'string' },
    { name: 'counts', shape: [2], dtype: 'int32', quantization: { dtype: 'uint16', scale: 1, min: 0 } },
  ];
  const bytes = [
    ...[0, 1, 2, 3, 4, 6],
    // 1 and -2 in float16.
    ...[0x00, 0x3c, 0x00, 0xc0],
    ...[3, 0, 0, 0, 97, 98, 99, 0, 0, 0, 0],
    ...[1, 0, 2, 0],
  ];
  return {
    format: 'graph-model',
    generatedBy: '2.15.0',
    convertedBy: 'TensorFlow.js Converter v4.22.0',
    signature: { inputs: { x: { name: 'x:0' } }, outputs: { y: { name: 'y:0' } } },
    modelTopology: {
      node: [
        node('x', 'Placeholder', [], { dtype: float, shape: shape(-1, 3) }),
        node('w', 'Const', [], { dtype: float }),
        node('b', 'Const', [], { dtype: float }),
        node('words', 'Const', [], { dtype: { type: 'DT_STRING' } }),
        node('counts', 'Const', [], { dtype: { type: 'DT_INT32' } }),
        node('xw', 'MatMul', ['x', 'w'], { T: float, transpose_a: { b: false }, transpose_b: { b: false } }),
        node('y', 'AddV2', ['xw:0', 'b', '^words']),
      ],
      library: {
        function: [
          {
            signature: { name: 'twice', inputArg: [{ name: 'a' }], outputArg: [{ name: 'out' }] },
            nodeDef: [node('sum', 'AddV2', ['a', 'a'])],
            ret: { out: 'sum:z:0' },
          },
        ],
      },
      versions: { producer: 1286 },
    },
    weightSpecs,
    weightData: new Uint8Array(bytes).buffer,
  };
}
