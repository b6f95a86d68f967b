// The options of `graphModel`, checked.
import { callable, checkOptions, type OptionRules, type Rule } from '@rebatch/stats/~internal';
import { GraphModelError } from './errors.ts';

/** Options of `graphModel`. */
export interface GraphModelOptions {
  /** What reports and messages call the model. Default `'graph'`: a converted graph has no name of its own. */
  readonly name?: string;
  /**
   * Asked for the name of each site: whether to leave it out. The last matrix product or convolution of a classifier or a
   * detector is a site like any other; where what it says differs between reference and target for good reason (other
   * classes, other ages), it should stay as it is. `folded` is that of the site: without those, the batch norms that the
   * graph still has can be recalibrated. Default: none is left out.
   */
  readonly leaveOut?: (name: string, site: { readonly folded: boolean }) => boolean;
  /** The shapes of inputs of which the graph does not say even the rank, by their names; null where any size will do. */
  readonly inputShapes?: Readonly<Record<string, readonly (number | null)[]>>;
}

const text: Rule = { expected: ['a text'], allows: (value) => typeof value === 'string' };

const isSize = (value: unknown) => value === null || (Number.isSafeInteger(value) && (value as number) >= 0);

const shapes: Rule = {
  expected: ['an object of shapes such as {image: [null, 224, 224, 3]}'],
  allows: (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((shape) => Array.isArray(shape) && shape.every(isSize)),
};

const RULES: OptionRules<GraphModelOptions> = {
  name: text,
  leaveOut: callable("a function that is given a site's name"),
  inputShapes: shapes,
};

/** @throws {GraphModelError} for an option that there is not, or of another type. */
export function checkGraphOptions(options: GraphModelOptions): void {
  checkOptions('graphModel', options, RULES, GraphModelError);
}
