// The ONNX model that onnxruntime is given: one BatchNormalization node in training mode.

import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** Of the model, in the node's order. */
export const INPUTS = ['x', 'gamma', 'beta', 'mean', 'variance'] as const;
export const OUTPUTS = ['y', 'new_mean', 'new_variance'] as const;

/** The versions in which BatchNormalization is as below. */
const [IR_VERSION, OPSET] = [8n, 15n];

/**
 * The model as onnxruntime reads it.
 *
 * @param shape [samples, channels, ...]: ONNX knows channels on axis 1 only.
 * @param momentum the share of the old statistics in the new ones.
 */
export function batchNormalizationModel(
  shape: readonly number[],
  { epsilon, momentum }: { epsilon: number; momentum: number },
): Uint8Array {
  const node = create(NodeProtoSchema, {
    opType: 'BatchNormalization',
    input: [...INPUTS],
    output: [...OUTPUTS],
    attribute: [
      attribute('epsilon', AttributeProto_AttributeType.FLOAT, epsilon),
      attribute('momentum', AttributeProto_AttributeType.FLOAT, momentum),
      attribute('training_mode', AttributeProto_AttributeType.INT, 1),
    ],
  });
  const describe = (name: string, at: number) => valueInfo(name, at === 0 ? shape : [shape[1]!]);
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: OPSET })],
    graph: create(GraphProtoSchema, {
      name: 'batch-normalization',
      node: [node],
      input: INPUTS.map(describe),
      output: OUTPUTS.map(describe),
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

function attribute(name: string, type: AttributeProto_AttributeType, value: number) {
  const isInt = type === AttributeProto_AttributeType.INT;
  return create(AttributeProtoSchema, { name, type, ...(isInt ? { i: BigInt(value) } : { f: value }) });
}

function valueInfo(name: string, shape: readonly number[]) {
  const dim = shape.map((length) => ({ value: { case: 'dimValue' as const, value: BigInt(length) } }));
  const tensorType = { elemType: TensorProto_DataType.FLOAT, shape: { dim } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } });
}
