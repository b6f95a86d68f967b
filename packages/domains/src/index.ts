/** Statistics per domain: a source of inputs with its own population statistics. */

export {
  applyStatistics,
  captureStatistics,
  type LayerStatistics,
  type ModelStatistics,
} from '@rebatch/recalibrate';
export { type AdaptOptions, adapt } from './adapt.ts';
