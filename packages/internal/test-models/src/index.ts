// The backends and small models that tests of several packages share.
export * from './float64-network.ts';
export * from './on-each-backend.ts';
export * from './outputs.ts';
export * from './saved-model.ts';
