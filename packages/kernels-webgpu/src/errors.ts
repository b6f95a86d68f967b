import { RebatchError } from '@rebatch/stats';

/**
 * A tensor is larger than the device can handle, or the device has refused a call for another reason than its program. It is
 * about that call alone.
 */
export class DeviceLimitError extends RebatchError {}
