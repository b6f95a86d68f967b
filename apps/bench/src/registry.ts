// The list of benches. They load on demand, so that a bench without tensors does not load TensorFlow.js.

import type { Bench } from './bench.ts';

export const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  'bn-train': async () => (await import('./benches/bn-train.ts')).bnTrain,
  'bn-frozen': async () => (await import('./benches/bn-frozen.ts')).bnFrozen,
  'bn-groups': async () => (await import('./benches/bn-groups.ts')).bnGroups,
  'bn-domains': async () => (await import('./benches/bn-domains.ts')).bnDomains,
  'cnn-step': async () => (await import('./benches/cnn-step.ts')).cnnStep,
  'conv-grads': async () => (await import('./benches/conv-grads.ts')).convGrads,
  'bn-cpu': async () => (await import('./benches/bn-cpu.ts')).bnCpu,
  'bn-webgpu': async () => (await import('./benches/bn-webgpu.ts')).bnWebgpu,
  native: async () => (await import('./benches/native.ts')).native,
  peers: async () => (await import('./benches/peers.ts')).peers,
  recalibrate: async () => (await import('./benches/recalibrate.ts')).recalibration,
  replicas: async () => (await import('./benches/replicas.ts')).replicas,
  inspect: async () => (await import('./benches/inspect.ts')).inspection,
  layerwise: async () => (await import('./benches/layerwise.ts')).layerwise,
  'adapt-online': async () => (await import('./benches/adapt-online.ts')).onlineAdaptation,
  'graph-adapt': async () => (await import('./benches/graph-adapt.ts')).graphAdaptation,
  'domain-switch': async () => (await import('./benches/domain-switch.ts')).domainSwitch,
  leakage: async () => (await import('./benches/leakage.ts')).leakage,
  merge: async () => (await import('./benches/merge.ts')).merge,
  'cli-workers': async () => (await import('./benches/cli-workers.ts')).cliWorkers,
  scaling: async () => (await import('./benches/scaling.ts')).scaling,
};
