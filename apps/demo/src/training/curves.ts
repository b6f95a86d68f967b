// How curves are drawn that lie on each other for long stretches: a wide pale one below, dashes and dots above it.

import type { Stroke } from '../ui/chart.tsx';

const STYLES: Readonly<Record<Stroke, object>> = {
  wide: { strokeWidth: 7, strokeOpacity: 0.4, strokeLinecap: 'round' },
  solid: { strokeWidth: 2.5 },
  dashed: { strokeWidth: 2.5, strokeDasharray: '8 6' },
  dotted: { strokeWidth: 3, strokeDasharray: '1 6', strokeLinecap: 'round' },
};

/** For a line mark of Observable Plot. */
export const strokeStyle = (stroke: Stroke): object => STYLES[stroke];
