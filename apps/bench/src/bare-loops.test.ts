import { expect, test } from 'vitest';
import { bareLoops } from './bare-loops.ts';

test('the loops compute what a float64 loop does, over all of their arrays', async () => {
  const loops = await bareLoops(64);
  for (let i = 0; i < 64; i++) {
    loops.x[i] = Math.sin(i) + 0.5;
    loops.dy[i] = Math.cos(3 * i);
  }
  let [moments, gradients] = [0, 0];
  for (let i = 0; i < 64; i++) {
    const [x, dy] = [loops.x[i]!, loops.dy[i]!];
    moments += x + x * x;
    gradients += dy + dy * x;
  }
  const sums = loops.run();
  expect(sums[0]).toBeCloseTo(moments, 10);
  expect(sums[1]).toBeCloseTo(gradients, 10);
  for (let i = 0; i < 64; i++) {
    const [x, dy] = [loops.x[i]!, loops.dy[i]!];
    expect(loops.y[i]).toBeCloseTo(2 * x + 1, 5);
    expect(loops.dx[i]).toBeCloseTo(2 * dy + x / 2 + 1, 5);
  }
});
