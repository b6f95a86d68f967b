// What TensorFlow.js 4.22 gets wrong, as the suite of this package found it, and where our kernels mend it. A fault that
// is no longer found is reported, too: then our kernel has done its duty.
import type { Fault } from './fault.ts';
import { ofConvolutions } from './of-convolutions.ts';
import { ofTheRest } from './of-the-rest.ts';
import { ofTypes } from './of-types.ts';
import { ofWindows } from './of-windows.ts';

export { type Backend, concerns, type Fault } from './fault.ts';

export const FAULTS: readonly Fault[] = [...ofWindows, ...ofConvolutions, ...ofTypes, ...ofTheRest];
