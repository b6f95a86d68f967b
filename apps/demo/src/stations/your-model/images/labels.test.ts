import { expect, test } from 'vitest';
import { labelsOf } from './labels.ts';

test('folders are labels, in alphabetical order', () => {
  const { classes, names, remark } = labelsOf(['set/dog/1.png', 'set/cat/1.png', 'set/dog/2.png'], 2);
  expect([...(classes as Int32Array)]).toEqual([1, 0, 1]);
  expect(names).toEqual([
    { name: 'cat', class: 0, count: 1 },
    { name: 'dog', class: 1, count: 2 },
  ]);
  expect(remark).toBeUndefined();
});

test('so is what stands before the first underscore; numbers are classes as they are', () => {
  const { classes } = labelsOf(['7_a_b.png', 'one/3_c.png', '10_d.png'], 12);
  expect([...(classes as Int32Array)]).toEqual([7, 3, 10]);
});

test('one folder for all, or a prefix that some lack, is no label', () => {
  expect(labelsOf(['photos/1.png', 'photos/2.png'], 10).classes).toBeUndefined();
  expect(labelsOf(['cat_1.png', '2.png'], 10).classes).toBeUndefined();
  expect(labelsOf(['IMG_1.png', 'IMG_2.png'], 10).classes).toBeUndefined();
});

test('labels that do not fit the model are left out, with the reason', () => {
  expect(labelsOf(['9_a.png', '10_b.png'], 10)).toMatchObject({
    classes: undefined,
    remark: expect.stringMatching(/‘10’ is no class.*0 to 9/),
  });
  expect(labelsOf(['a_1.png', 'b_1.png', 'c_1.png'], 2).remark).toMatch(/3 of them.*2 classes/);
  expect(labelsOf(['a_1.png', 'b_1.png'], null).remark).toMatch(/not one number per class/);
  // Used, but the order may be another one.
  expect(labelsOf(['a_1.png', 'b_1.png'], 3)).toMatchObject({
    remark: expect.stringMatching(/alphabetical/),
  });
});
