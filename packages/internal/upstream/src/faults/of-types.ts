// Gathering, whole numbers and bools.
import type { Fault } from './fault.ts';

export const ofTypes: readonly Fault[] = [
  {
    ops: ['gather', 'unsortedSegmentSum'],
    part: 'any',
    symptom: 'throws',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'there is no kernel UnsortedSegmentSum',
  },
  {
    ops: ['cast'],
    part: 'value',
    where: /to bool/,
    symptom: 'wrong',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'it keeps the lowest byte of the whole part, instead of 0 or 1',
  },

  {
    ops: ['clipByValue of whole numbers'],
    part: 'value',
    symptom: 'wrong',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'whole numbers are taken for the float32 values of the same bits',
  },
  {
    ops: ['oneHot'],
    part: 'value',
    where: /float32/,
    symptom: 'wrong',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'it writes whole numbers, whose bits are no such floats',
  },
  {
    ops: ['oneHot'],
    part: 'value',
    where: /bool/,
    symptom: 'fatal',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'it writes whole numbers of four bytes, and so what lies behind the result is overwritten',
  },
  {
    ops: ['reverse of bools'],
    part: 'value',
    symptom: 'fatal',
    on: ['wasm'],
    mended: ['wasm'],
    because: 'four bytes are moved for each value of one, and so what lies behind the result is overwritten',
  },
];
