import { recalibrate } from '@rebatch/recalibrate';
import type { Context } from '../context.ts';
import { ESTIMATORS } from '../estimators.ts';
import { isInParts } from '../parts-options.ts';
import { checkCanBeRecalibrated, type RecalibrateFlags } from '../recalibration.ts';
import { runRepair } from '../repair.ts';
import { captureShard } from '../shard.ts';
import { beginInParts } from './in-parts.ts';

/** What `rebatch recalibrate` does. */
export async function runRecalibrate(
  model: string,
  data: string,
  flags: RecalibrateFlags,
  context: Context,
): Promise<void> {
  if (flags.shard !== undefined || flags.states !== undefined) {
    return captureShard({ model, data }, flags, context);
  }
  const inParts = isInParts(flags);
  return runRepair(
    'recalibrate',
    '-recalibrated',
    { model, data },
    flags,
    context,
    {
      storedOnly: true,
      repair: (session, batches, options) => {
        checkCanBeRecalibrated(session);
        const { mode, estimator, prior } = flags;
        return recalibrate(session.loaded.normalized(), batches, {
          ...options,
          mode,
          prior,
          estimator: ESTIMATORS[estimator],
        });
      },
    },
    inParts ? (session) => beginInParts(session, flags, context.streams) : undefined,
  );
}
