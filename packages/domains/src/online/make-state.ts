// The state of a model before the first frame, where it is best kept on the current backend.
import { readsWithoutStalling } from '@rebatch/core/~internal';
import type { NormalizedModel } from '@rebatch/models';
import { checkStatistics } from '@rebatch/models/~internal';
import { checkUnfolded } from '@rebatch/recalibrate/~internal';
import { momentsOfReference } from '../reference/read-reference.ts';
import { DeviceState } from './device-state.ts';
import { HostState } from './host-state.ts';
import type { Match } from './matched.ts';
import type { OnlineState, ReportNonFinite } from './online-state.ts';
import type { OnlineSettings } from './options.ts';

/** Makes the state of a model. */
export type MakeState = (
  model: NormalizedModel,
  settings: OnlineSettings,
  report: ReportNonFinite,
) => OnlineState;

/**
 * What each site is matched to; undefined for all where there is no reference.
 *
 * @throws {ReferenceMomentsError} if the reference is none, of another model, or did not reach a site.
 */
function matchesOf(model: NormalizedModel, { reference }: OnlineSettings): readonly (Match | undefined)[] {
  if (reference === undefined) {
    checkUnfolded(model);
    return [];
  }
  return momentsOfReference('adaptOnline', model, reference).map(
    (moments, i) => moments && { epsilon: model.sites[i]!.epsilon, reference: moments },
  );
}

export const makeState: MakeState = (...of) =>
  readsWithoutStalling() ? makeHostState(...of) : makeDeviceState(...of);

/** @throws {StatisticsError} for source statistics that count and are not finite. */
export const makeHostState: MakeState = (model, settings, report) => {
  const stored = model.stored();
  const source = model.sites.map(({ name }, i) => ({
    name,
    mean: stored[i]!.mean.dataSync<'float32'>(),
    variance: stored[i]!.variance.dataSync<'float32'>(),
  }));
  if (settings.prior > 0) checkStatistics(model, source);
  return new HostState(source, matchesOf(model, settings), settings, report);
};

/** Source statistics that are not finite show in what is predicted, as without adaptation. */
export const makeDeviceState: MakeState = (model, settings, report) =>
  new DeviceState(model, matchesOf(model, settings), settings, report);
