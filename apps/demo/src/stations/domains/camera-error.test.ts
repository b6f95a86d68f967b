import { expect, test } from 'vitest';
import { explainCameraError } from './camera-error.ts';

test.each([
  ['NotAllowedError', 'does not let this page'],
  ['NotFoundError', 'No camera was found'],
  ['NotReadableError', 'Another program'],
  ['NotSupportedError', 'secure pages'],
])('%s is explained', (name, text) => {
  expect(explainCameraError(new DOMException('no', name))).toContain(text);
});

test('anything else keeps its message', () => {
  expect(explainCameraError(new TypeError('odd'))).toBe('The camera did not start: odd');
});
