import { type PreciseMoments, preciseMoments } from '@rebatch/core/~internal';
import type { Application, Site } from '@rebatch/models';

/** The moments of what one application normalizes, on the device: of the steps that count, where some do not. */
export function momentsOf(
  { x, mask }: Pick<Application, 'x' | 'mask'>,
  { axis, name }: ReturnType<Site['options']>,
): PreciseMoments {
  return preciseMoments(x, { axis, name }, { count: 1 }, mask);
}
