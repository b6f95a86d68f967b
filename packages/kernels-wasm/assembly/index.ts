// What the module exports. It holds no data and no allocator of its own: every address, scratch included, comes from
// the caller, because the memory is the TensorFlow.js backend's.
export { momentsLanes, momentsRuns } from './moments';
export { normalizeLanes, normalizeRuns } from './normalize';
export { backwardReduceLanes, backwardReduceRuns } from './backward-reduce';
export { backwardInputLanes, backwardInputRuns } from './backward-input';
export { setGeometry } from './geometry';
export { convFilterGradient } from './conv-filter-gradient';
export { convInputGradient } from './conv-input-gradient';
export { maxPoolGradient } from './max-pool-gradient';
export { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise';
