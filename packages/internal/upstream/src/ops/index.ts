// All calls of ops that are checked, family by family.
import type { OpCase } from '../op-case.ts';
import { activations } from './activations.ts';
import { arranging } from './arranging.ts';
import { binary } from './binary.ts';
import { convolutions } from './convolutions.ts';
import { fusedConvolutions } from './fused-convolutions.ts';
import { gathering } from './gathering.ts';
import { integers } from './integers.ts';
import { joining } from './joining.ts';
import { normalizing } from './normalizing.ts';
import { padding } from './padding.ts';
import { pooling } from './pooling.ts';
import { matrixProducts } from './products.ts';
import { reducing } from './reductions.ts';
import { resizing } from './resizing.ts';
import { scans } from './scans.ts';
import { volumes } from './volumes.ts';

export const FAMILIES: Readonly<Record<string, readonly OpCase[]>> = {
  'value by value': [...activations, ...binary],
  'whole numbers': integers,
  'reductions and scans': [...reducing, ...scans],
  'products of matrices': matrixProducts,
  convolutions: [...convolutions, ...fusedConvolutions, ...volumes],
  pooling,
  resizing,
  'moving values': [...arranging, ...padding, ...gathering, ...joining],
  normalization: normalizing,
};
