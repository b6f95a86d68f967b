import { expect, test } from 'vitest';
import { type Adapter, findAdapter, type Graphics } from './adapter.ts';

const withAdapter = (adapter: Adapter | null): Graphics => ({ requestAdapter: async () => adapter });

test.each<[string, Adapter]>([
  ['a fallback, by its info', { info: { vendor: 'google', isFallbackAdapter: true } }],
  ['a fallback, as older browsers say it', { info: { vendor: 'google' }, isFallbackAdapter: true }],
  ['one without any info', { isFallbackAdapter: true }],
  ['SwiftShader', { info: { vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: false } }],
  ['SwiftShader, described', { info: { vendor: '', description: 'SwiftShader Device (Subzero)' } }],
  ['llvmpipe', { info: { vendor: 'mesa', device: 'llvmpipe (LLVM 15.0.6, 256 bits)' } }],
  ['lavapipe', { info: { architecture: 'lavapipe' } }],
  ['WARP', { info: { vendor: 'microsoft', architecture: 'warp' } }],
  ['WARP, described', { info: { description: 'Microsoft Basic Render Driver' } }],
])('%s is for those who ask for it', async (_, adapter) => {
  const reason = await findAdapter(withAdapter(adapter), 'auto');
  expect(reason).toMatch(/^WebGPU is emulated in software here.*far slower$/);
  expect(await findAdapter(withAdapter(adapter), 'webgpu')).toMatchObject({ software: true });
});

test.each<[string, Adapter]>([
  ['nvidia ampere', { info: { vendor: 'nvidia', architecture: 'ampere', isFallbackAdapter: false } }],
  [
    'intel gen-12lp',
    { info: { vendor: 'intel', architecture: 'gen-12lp', description: 'Intel(R) Iris(R) Xe' } },
  ],
  ['apple metal-3', { info: { vendor: 'apple', architecture: 'metal-3' }, isFallbackAdapter: false }],
  // Browsers may keep to themselves what it is.
  ['', { info: { vendor: '', architecture: '' } }],
  ['', {}],
])('hardware is taken: %s', async (name, adapter) => {
  for (const preference of ['auto', 'webgpu'] as const)
    expect(await findAdapter(withAdapter(adapter), preference)).toEqual({ name, software: false });
});

test('without an adapter, or without WebGPU, it says so', async () => {
  expect(await findAdapter(withAdapter(null), 'webgpu')).toBe('there is no graphics adapter for WebGPU');
  expect(await findAdapter(undefined, 'auto')).toBe('this browser has no WebGPU');
});
