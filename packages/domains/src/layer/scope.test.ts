import { recalibrate } from '@rebatch/recalibrate';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import '@rebatch/test-models';
import { domainBatchNormalization, UnknownDomainError, withDomain } from '../index.ts';
import { domainInScope } from './scope.ts';

await tf.setBackend('cpu');

const named = (name: string) => domainBatchNormalization({ name, domains: ['a', 'b', 'c'], inputShape: [1] });

test('scopes nest, return what their function returns, and end when it throws', () => {
  const layer = named('bn');
  const here = () => domainInScope(layer);
  expect(here()).toBe(undefined);
  const inner = withDomain(layer, 'a', () => {
    expect(here()).toBe('a');
    expect(() => withDomain(layer, 'b', () => expect.fail(`${here()}`))).toThrow('b');
    return [withDomain(layer, 'c', here), here()];
  });
  expect(inner).toEqual(['c', 'a']);
  expect(here()).toBe(undefined);
});

test('a scope is of its model alone, nested models included', () => {
  const [one, other] = [named('one'), named('other')];
  const inner = tfl.sequential({ layers: [one] });
  const model = tfl.sequential({ layers: [inner] });
  expect(withDomain(model, 'a', () => [domainInScope(one), domainInScope(other)])).toEqual(['a', undefined]);
});

test('asynchronous scopes that overlap are kept apart', async () => {
  const layer = named('bn');
  const opens: (() => void)[] = [];
  const seen = (domain: string) =>
    withDomain(layer, domain, async () => {
      const before = domainInScope(layer);
      await new Promise<void>((resolve) => void opens.push(resolve));
      return [before, domainInScope(layer)];
    });
  const [first, second] = [seen('a'), seen('b')];
  expect(domainInScope(layer)).toBe(undefined);
  opens[0]!();
  expect(await first).toEqual(['a', 'a']);
  opens[1]!();
  expect(await second).toEqual(['b', 'b']);
  await expect(withDomain(layer, 'c', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(domainInScope(layer)).toBe(undefined);
});

test('two models train at once in their own domains, and one is recalibrated in two', async () => {
  const make = (name: string) => {
    const layer = domainBatchNormalization({ name, domains: ['a', 'b'], momentum: 0, inputShape: [1] });
    const model = tfl.sequential({ layers: [layer, tfl.layers.dense({ units: 1 })] });
    model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
    return { layer, model };
  };
  const [one, other] = [make('one'), make('other')];
  const around = (value: number) => tf.tensor2d([value, value + 2], [2, 1]);
  const fit = ({ model }: typeof one, domain: string, value: number) => {
    const x = around(value);
    return withDomain(model, domain, () => model.fit(x, x, { epochs: 8, verbose: 0, yieldEvery: 'batch' }));
  };
  const measure = ({ model }: typeof one, domain: string, value: number) =>
    withDomain(model, domain, () =>
      recalibrate(
        model,
        Array.from({ length: 9 }, () => around(value)),
      ),
    );
  await Promise.all([fit(one, 'a', 10), fit(other, 'b', 20)]);
  const means = ({ layer }: typeof one) =>
    layer.layers.map(({ movingMean }) => movingMean.read().dataSync()[0]);
  expect(means(one)).toEqual([11, 0]);
  expect(means(other)).toEqual([0, 21]);
  await Promise.all([measure(one, 'a', 40), measure(one, 'b', 50), measure(other, 'a', 60)]);
  expect(means(one)).toEqual([41, 51]);
  expect(means(other)).toEqual([61, 21]);
});

test('what is no domain is refused before anything runs', () => {
  const run = () => expect.fail('it ran');
  const layer = named('bn');
  expect(() => withDomain(layer, 3 as never, run)).toThrow(
    'withDomain: expected the name of a domain, or a tensor',
  );
  expect(() => withDomain(layer, tf.zeros([2, 1]) as never, run)).toThrow('got a tensor of shape [2, 1]');
  expect(() => withDomain(layer, { name: 'a' } as never, run)).toThrow('got an object with name.');
  expect(() => withDomain('night' as never, 'a', run)).toThrow(
    "withDomain: expected a model or layer of tf.layers, got the address 'night'",
  );
  const plain = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1] })] });
  expect(() => withDomain(plain, 'a', run)).toThrow('has no layer that takes its domain from a scope');
});

test('an unknown domain is an error that lists the known ones, and so is none', () => {
  const layer = domainBatchNormalization({ name: 'bn', domains: ['photo', 'sketch'] });
  const x = tf.tensor2d(seededRandom(1).normals(6), [3, 2]);
  const run = () => layer.apply(x);
  expect(() => withDomain(layer, 'painting', run)).toThrow(UnknownDomainError);
  expect(() => withDomain(layer, 'painting', run)).toThrow(
    "Layer 'bn': expected one of its domains (photo, sketch) at hand, got 'painting'. Run the model inside " +
      'withDomain(model, name, () => ...).',
  );
  expect(run).toThrow('(photo, sketch) at hand, got none');
  // As a name it is as unknown as any other.
  expect(() => withDomain(layer, '__proto__', run)).toThrow(UnknownDomainError);
});
