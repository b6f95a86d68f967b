import { describe, expect, it } from 'vitest';
import { meets, tableHeader, tableRow, toLine } from './line.ts';

const label = { case: 'layer', backend: 'wasm', shape: '64x28x28x64', peer: 'tf.layers' };
const line = toLine('bn-train', label, {
  oursMs: 9.12345,
  peerMs: 589.26,
  ratio: 64.58789,
  spread: [60.00001, 70],
});

describe('a line', () => {
  it('has the promised keys in the promised order, rounded', () => {
    expect(JSON.stringify(line)).toBe(
      '{"bench":"bn-train","case":"layer","backend":"wasm","shape":"64x28x28x64","ours_ms":9.123,' +
        '"peer":"tf.layers","peer_ms":589.3,"ratio":64.59,"spread":[60,70]}',
    );
  });

  it('does not take more than a label from its case', () => {
    const extended = { ...label, target: 40, measure: () => undefined };
    const keys = Object.keys(
      toLine('bn-train', extended, { oursMs: 1, peerMs: 2, ratio: 2, spread: [2, 2] }),
    );
    expect(keys).toEqual(Object.keys(line));
  });

  it('carries a note where there is one, last', () => {
    const noted = toLine(
      'peers',
      { ...label, targetMs: 1, note: 'It is native.' },
      { oursMs: 2, peerMs: 1, ratio: 0.5, spread: [0.4, 0.6] },
    );
    expect(JSON.stringify(noted)).toMatch(/"target_ms":1,"note":"It is native."}$/);
  });

  it('carries how times grow where several sizes were measured, and meets nothing if steeper than the work', () => {
    const growing = (exponent: number) =>
      toLine('scaling', label, {
        ...{ oursMs: 1, peerMs: 2, ratio: 2, spread: [2, 2] },
        growth: { exponent, peerExponent: 0.91234 },
      });
    expect(growing(1)).toMatchObject({ exponents: [1, 0.9123] });
    expect(meets(growing(1), 2)).toBe(true);
    expect(meets(growing(2), 2)).toBe(false);
    expect(meets(growing(2), undefined)).toBe(false);
    expect(tableRow(growing(1.234), 2)).toMatch(/tf\.layers; grows as n\^1\.23, peer n\^0\.91$/);
  });

  it('meets a target that it reaches, and any where none was promised', () => {
    expect(meets(line, 64.59)).toBe(true);
    expect(meets(line, 64.6)).toBe(false);
    expect(meets(line, undefined)).toBe(true);
  });

  it('carries the time that was promised, and meets it only in that time', () => {
    const measured = { oursMs: 0.9, peerMs: 9, ratio: 10, spread: [10, 10] } as const;
    const timed = toLine('domain-switch', { ...label, targetMs: 1 }, measured);
    expect(timed).toMatchObject({ ours_ms: 0.9, target_ms: 1 });
    expect(meets(timed, undefined)).toBe(true);
    expect(meets(timed, 10)).toBe(true);
    expect(meets(timed, 11)).toBe(false);
    expect(meets({ ...timed, ours_ms: 1 }, undefined)).toBe(true);
    expect(meets({ ...timed, ours_ms: 1.01 }, undefined)).toBe(false);
  });
});

describe('the table', () => {
  it('says whether the target was met', () => {
    expect(tableRow(line, 40)).toMatch(/ {2}64\.6x {2}.*>= 40x met {2}/);
    expect(tableRow(line, 100)).toContain('>= 100x NOT MET');
    expect(tableRow(line)).not.toContain('>=');
    expect(tableRow({ ...line, target_ms: 10 })).toContain('<= 10 ms met');
    expect(tableRow({ ...line, target_ms: 1 })).toContain('<= 1 ms NOT MET');
    expect(tableRow({ ...line, target_ms: 10 }, 100)).toContain('>= 100x, <= 10 ms NOT MET');
  });

  it('keeps its columns below their titles', () => {
    expect(tableRow(line, 40).indexOf('tf.layers')).toBe(tableHeader().indexOf('against'));
    expect(tableRow(line).indexOf('tf.layers')).toBe(tableHeader().indexOf('against'));
  });
});
