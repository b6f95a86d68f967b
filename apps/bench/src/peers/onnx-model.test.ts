import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { expect, test } from 'vitest';
import { batchNormalizationModel } from './onnx-model.ts';

const model = batchNormalizationModel([2, 3, 4, 5], { epsilon: 1e-3, momentum: 0.99 });

test('the model is one node in training mode, with its values described', () => {
  const { graph, opsetImport } = fromBinary(ModelProtoSchema, model);
  expect(opsetImport).toMatchObject([{ domain: '', version: 15n }]);
  expect(graph!.node).toMatchObject([
    {
      opType: 'BatchNormalization',
      input: ['x', 'gamma', 'beta', 'mean', 'variance'],
      output: ['y', 'new_mean', 'new_variance'],
    },
  ]);
  const attributes = graph!.node[0]!.attribute.map(({ name, i, f }) => [name, Number(i) || f]);
  expect(attributes).toEqual([
    ['epsilon', Math.fround(1e-3)],
    ['momentum', Math.fround(0.99)],
    ['training_mode', 1],
  ]);
  const shapes = [...graph!.input, ...graph!.output].map(({ name, type }) => {
    if (type?.value.case !== 'tensorType') throw new Error(`${name} is no tensor`);
    return [name, type.value.value.shape!.dim.map(({ value }) => Number(value.value))];
  });
  expect(Object.fromEntries(shapes)).toEqual({
    ...{ x: [2, 3, 4, 5], gamma: [3], beta: [3], mean: [3], variance: [3] },
    ...{ y: [2, 3, 4, 5], new_mean: [3], new_variance: [3] },
  });
});

test('its bytes are those of the protobuf encoding, done by hand for the last attribute', () => {
  // Field 1 (name, length-delimited), field 3 (i, varint), field 20 (type, varint: INT = 2).
  const name = new TextEncoder().encode('training_mode');
  const attribute = [(1 << 3) | 2, name.length, ...name, 3 << 3, 1, 0xa0, 0x01, 2];
  const node = [(5 << 3) | 2, attribute.length, ...attribute];
  expect(Buffer.from(model).includes(Buffer.from(node))).toBe(true);
});
