import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import '../backends.test.support.ts';
import { domainBatchNormalization, UnknownDomainError, withDomain } from '../index.ts';
import { domainInScope } from './scope.ts';

await tf.setBackend('cpu');

test('scopes nest, return what their function returns, and end when it throws', () => {
  expect(domainInScope()).toBe(undefined);
  const inner = withDomain('a', () => {
    expect(domainInScope()).toBe('a');
    expect(() => withDomain('b', () => expect.fail(`${domainInScope()}`))).toThrow('b');
    return [withDomain('c', domainInScope), domainInScope()];
  });
  expect(inner).toEqual(['c', 'a']);
  expect(domainInScope()).toBe(undefined);
});

test('an asynchronous scope lasts until its promise settles; where two overlap, the later one holds', async () => {
  const ends: (() => void)[] = [];
  const later = () => new Promise<void>((resolve) => void ends.push(resolve));
  const first = withDomain('first', later);
  const second = withDomain('second', later);
  expect(domainInScope()).toBe('second');
  ends[0]!();
  await first;
  expect(domainInScope()).toBe('second');
  ends[1]!();
  await second;
  expect(domainInScope()).toBe(undefined);
  await expect(withDomain('gone', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(domainInScope()).toBe(undefined);
});

test('what is no domain is refused before anything runs', () => {
  const run = () => expect.fail('it ran');
  expect(() => withDomain(3 as never, run)).toThrow('withDomain: expected the name of a domain, or a tensor');
  expect(() => withDomain(tf.zeros([2, 1]) as never, run)).toThrow('got a tensor of shape [2,1]');
});

test('an unknown domain is an error that lists the known ones, and so is none', () => {
  const layer = domainBatchNormalization({ name: 'bn', domains: ['photo', 'sketch'] });
  const x = tf.tensor2d(seededRandom(1).normals(6), [3, 2]);
  const run = () => layer.apply(x);
  expect(() => withDomain('painting', run)).toThrow(UnknownDomainError);
  expect(() => withDomain('painting', run)).toThrow(
    "Layer 'bn': expected one of its domains (photo, sketch) at hand, got 'painting'. Run the model inside " +
      'withDomain(name, () => ...).',
  );
  expect(run).toThrow('(photo, sketch) at hand, got none');
  // As a name it is as unknown as any other.
  expect(() => withDomain('__proto__', run)).toThrow(UnknownDomainError);
});
