/** The share of the steps in which the rate rises. */
const RISE = 0.3;
/** The first rate, as a share of the highest. */
const FIRST = 1 / 25;

/**
 * The rate of a step under the one-cycle policy (Smith 2018, with the shape of PyTorch's `OneCycleLR`): along half a cosine
 * up to `peak` in the first 30% of the steps, and along half a cosine down towards 0.
 *
 * @param step 0 to steps - 1.
 */
export function oneCycle(peak: number, step: number, steps: number): number {
  const top = RISE * steps;
  if (step < top) return peak * (FIRST + (1 - FIRST) * halfCosine(step / top));
  return peak * (1 - halfCosine((step - top) / (steps - top)));
}

/** 0 at 0, 1 at 1. */
function halfCosine(share: number): number {
  return (1 - Math.cos(Math.PI * share)) / 2;
}
