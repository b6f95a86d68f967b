// Random numbers of the distributions that noise has.

/** Uniform in [0, 1). */
export type Random = () => number;

/** Standard normal (Box & Muller 1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Counting takes as many draws as it counts: above this mean, rejection is faster. */
const MANY = 64;

/** Poisson: by products of uniform values (Knuth, TAOCP 3.4.1), or for large means by rejection. */
export function poisson(mean: number, random: Random): number {
  if (mean > MANY) return poissonByRejection(mean, random);
  const limit = Math.exp(-mean);
  let count = -1;
  for (let product = 1; product >= limit; product *= random()) count++;
  return count;
}

/** Transformed rejection with squeeze: algorithm PTRS of Hörmann 1993, which is exact for means of 10 and more. */
function poissonByRejection(mean: number, random: Random): number {
  const [root, logMean] = [Math.sqrt(mean), Math.log(mean)];
  const b = 0.931 + 2.53 * root;
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = random() - 0.5;
    const v = random();
    const distance = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / distance + b) * u + mean + 0.43);
    if (distance >= 0.07 && v <= squeeze) return count;
    if (count < 0 || (distance < 0.013 && v > distance)) continue;
    const density = count * logMean - mean - logFactorial(count);
    if (Math.log((v * inverseAlpha) / (a / (distance * distance) + b)) <= density) return count;
  }
}

/** Natural logarithm of n!, by Stirling's series; exact products for small n, where it is not. */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return Math.log(product);
  }
  const x = n + 1;
  return (
    (x - 0.5) * Math.log(x) -
    x +
    0.5 * Math.log(2 * Math.PI) +
    1 / (12 * x) -
    1 / (360 * x ** 3) +
    1 / (1260 * x ** 5)
  );
}
