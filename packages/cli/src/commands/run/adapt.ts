import { adapt, type Reference } from '@rebatch/domains';
import { PRIOR } from '@rebatch/domains/~internal';
import { ModelUseError, UsageError } from '../../errors.ts';
import type { Session } from '../../session.ts';
import { readJson } from '../../statistics-file.ts';
import type { Context } from '../context.ts';
import { isInParts, type PartsFlags } from '../parts-options.ts';
import type { InPartsFlags } from '../recalibration.ts';
import { type RepairFlags, runRepair } from '../repair.ts';
import { beginInParts } from './in-parts.ts';

export interface AdaptFlags extends RepairFlags, PartsFlags {
  readonly reference?: string;
  readonly prior?: number;
  readonly mode?: 'batch' | 'layerwise';
}

/** What `rebatch adapt` does. */
export async function runAdapt(
  model: string,
  data: string,
  flags: AdaptFlags,
  context: Context,
): Promise<void> {
  const inParts = isInParts(flags);
  if (inParts && flags.reference !== undefined) {
    throw new UsageError(
      '--reference does not go with --workers, --checkpoint and --queue: what layers see after the layers before them were ' +
        'matched is measured in one process. Leave these out; a few dozen pictures are enough.',
    );
  }
  const reference =
    flags.reference === undefined
      ? undefined
      : ((await readJson(flags.reference, 'what rebatch reference wrote')) as Reference);
  return runRepair(
    'adapt',
    '-adapted',
    { model, data },
    flags,
    context,
    {
      storedOnly: reference === undefined,
      repair: async (session, batches, options) => {
        if (reference === undefined) checkUnfolded(session);
        return adapt(session.loaded.normalized(), batches, {
          ...options,
          ...(flags.prior !== undefined && { prior: flags.prior }),
          ...(flags.mode !== undefined && { mode: flags.mode }),
          ...(reference !== undefined && { reference }),
        });
      },
    },
    inParts
      ? (session) => {
          checkUnfolded(session);
          return beginInParts(session, asRecalibration(flags), context.streams);
        }
      : undefined,
  );
}

/** Without a reference, adapting is recalibrating by the defaults of `adapt`. */
function asRecalibration({ mode = 'layerwise', prior = PRIOR, ...flags }: AdaptFlags): InPartsFlags {
  return { ...flags, mode, prior, estimator: 'populationVariance' };
}

function checkUnfolded({ loaded }: Session): void {
  if (!loaded.normalized().sites.some(({ folded }) => folded)) return;
  const { path } = loaded;
  throw new ModelUseError(
    `${path}: statistics of it were folded into its weights, so other pictures can only be matched to pictures that ` +
      `it works on. Measure these once: rebatch reference ${path} known-pictures/, then say --reference.`,
  );
}
