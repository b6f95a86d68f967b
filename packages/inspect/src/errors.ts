// What can go wrong while a model is inspected. The model is never written to, whatever happens.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package; errors about the data come from `@rebatch/recalibrate`. */
export class InspectionError extends RebatchError {}

/** An option is out of its range; says which, what is allowed and what came. */
export class InspectionOptionError extends InspectionError {}

/** Labels that cannot be compared with the model's outputs. */
export class LabelsError extends InspectionError {}

/** Statistics that lie on no grid: nothing says how far rounding may have moved them. */
export class NotQuantizedError extends InspectionError {}
