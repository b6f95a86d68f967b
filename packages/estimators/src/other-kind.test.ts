import { expect, test } from 'vitest';
import { EstimatorMergeError, meanOfBatchVariance, populationVariance } from './index.ts';

test.each([populationVariance, meanOfBatchVariance])('%o says what it cannot be merged with', (make) => {
  const { kind } = make();
  const cases: [unknown, string][] = [
    [undefined, 'undefined'],
    [{}, 'an object without members'],
    [{ kind: {} }, 'an object with kind'],
    [{ kind: 'mine' }, 'a "mine"'],
  ];
  for (const [other, came] of cases) {
    const merge = () => make().merge!(other as never);
    expect(merge).toThrow(EstimatorMergeError);
    expect(merge).toThrow(`${kind}: cannot merge ${came}; expected another "${kind}".`);
  }
});
