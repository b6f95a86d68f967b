import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { checkLayer } from './check-model.ts';
import { convert, freezeBatchNorm, NotAModelError, unfreezeBatchNorm } from './index.ts';

const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });

class Session {}

const CASES: [unknown, RegExp][] = [
  [undefined, /got undefined\. Pass the model itself/],
  [null, /got null\./],
  ['https://example.com/model.json', /got the address 'https:.*Load it first: await tf\.loadLayersModel/],
  [new URL('file:///model.json'), /got the address 'file:/],
  [Promise.resolve(model), /got a promise\. Wait for the model first: await it/],
  [
    { executor: {}, modelUrl: 'x', predict: () => {} },
    /got a GraphModel \(a converted graph.*wrapped: graphModel\(model\) of @rebatch\/graph-models\./,
  ],
  [{ model }, /got an object whose member 'model' is one\. Pass that/],
  [[model], /got an array of 1 items/],
  [{}, /got an object that is none/],
  [new Session(), /got a Session that is none/],
  [() => model, /got a function that is none/],
  [7, /got 7\. Pass the model itself/],
];

test.each(CASES)('%s is no model, and the message says what it is', (value, message) => {
  for (const entry of [convert, freezeBatchNorm, unfreezeBatchNorm]) {
    expect(() => entry(value as never)).toThrow(NotAModelError);
    expect(() => entry(value as never)).toThrow(message);
    expect(() => entry(value as never)).toThrow(new RegExp(`^${entry.name}: expected a model or layer`));
  }
});

test('models and single layers are layers', () => {
  for (const layer of [model, model.layers[0]]) expect(() => checkLayer('x', layer)).not.toThrow();
});
