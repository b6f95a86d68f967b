// What the module exports. It holds no data and no allocator of its own: every address, scratch included, comes from
// the caller, because the memory is the TensorFlow.js backend's.
export { sortBlocks } from './groups';
export { momentsLanes, momentsRuns } from './moments';
export { backwardReduceRows, momentsRows } from './by-row';
export { normalizeLanes, normalizeRuns } from './normalize';
export { clipOver, normalizeOverLanes } from './over';
export { backwardReduceLanes, backwardReduceRuns } from './backward-reduce';
export { backwardInputLanes, backwardInputRuns } from './backward-input';
export { setDepth, setGeometry } from './geometry';
export { convFilterGradient } from './conv-filter-gradient';
export { convInputGradient } from './conv-input-gradient';
export { convForward } from './conv-forward';
export { maxPool, maxPoolGradient } from './max-pool';
export { averagePoolGradient } from './average-pool-gradient';
export { resizeGradient } from './resize-gradient';
export { segmentSum } from './segment-sum';
export { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise';
export { winogradConvolution } from './winograd-convolution';
export { winogradFilterGradient } from './winograd-filter-gradient';
