import type { KeptBatch, Pass, Run } from '../pass.ts';
import { bytesOf, type Levels, neededAfter, type PassPlan, planPass } from './levels.ts';
import { type DeviceStatistics, measureFromInputs, stepOf } from './measure.ts';
import type { LayerwisePlan } from './plan.ts';
import { disposeKept, type Kept, type Replayed, replay } from './replay.ts';

/**
 * What is kept of every batch between two levels of a model, so that a pass computes its own level alone. Where the values
 * at a level are more than may be kept, the pass starts from an earlier level, or from the data.
 */
export class Activations {
  readonly #run: Run;
  readonly #plan: LayerwisePlan;
  /** Of the pass that runs. */
  #ready: DeviceStatistics;
  /** The levels up to which everything is at hand; 0 for none. */
  #cut = 0;
  #batches = new Map<number, { readonly samples: number; kept: Kept }>();
  /** Of the pass that runs. */
  #pass = 0;
  #next = new Map<number, { readonly samples: number; kept: Kept }>();
  #keeping = false;
  #bytes = 0;
  #held = 0;
  #budget = 0;

  constructor(run: Run, plan: LayerwisePlan, ready: DeviceStatistics) {
    this.#run = run;
    this.#plan = plan;
    this.#ready = ready;
  }

  /** What is kept at the moment. */
  get bytes(): number {
    return this.#cut === 0 ? 0 : this.#held;
  }

  /**
   * How pass `number` measures.
   *
   * @param budget bytes that may be kept.
   * @param ready the statistics that the pass is to normalize by, where they are not those that there were.
   */
  begin(number: number, budget: number, ready = this.#ready): Pick<Pass, 'measure' | 'kept'> {
    const { levels, passes } = this.#plan;
    this.#ready = ready;
    this.#budget = budget;
    this.#pass = number;
    const fromInputs = measureFromInputs(this.#run, this.#plan, number, this.#ready);
    if (levels === undefined || this.#budget === 0) return { measure: fromInputs };
    // What the first pass has to keep is known when it has read everything.
    const bytes = [...this.#batches.values()].map(({ samples }) =>
      bytesOf(levels, neededAfter(levels, number), samples),
    );
    this.#keeping = number < passes && bytes.reduce((a, b) => a + b, 0) <= this.#budget;
    this.#bytes = 0;
    this.#next = new Map();
    const plans = {
      keeping: planPass(levels, number, this.#cut, true),
      not: planPass(levels, number, this.#cut, false),
    };
    const measure: Pass['measure'] = (inputs, batch, { index, samples }) => {
      const fits = batch.signature === this.#plan.signature && samples === (this.#plan.samples ?? samples);
      if (!fits) {
        this.#keepNothing();
        return fromInputs(inputs, batch, { index, samples });
      }
      return this.#replay(levels, plans, index, { samples, inputs, kept: new Map(), what: `Batch ${index}` });
    };
    if (this.#cut === 0) return { measure };
    const kept = [...this.#batches].map(
      ([index, { samples, kept }]): KeptBatch => ({
        index,
        samples,
        measure: () => this.#replay(levels, plans, index, { samples, kept, what: `Batch ${index}` }),
      }),
    );
    return { measure, kept };
  }

  /** After a pass: what it has kept takes the place of what there was. */
  end(): void {
    const { skipped } = this.#run;
    if (this.#keeping) {
      for (const { kept } of this.#batches.values()) disposeKept(kept);
      this.#batches = this.#next;
      this.#cut = this.#pass;
      this.#held = this.#bytes;
    } else if (this.#cut === 0) {
      // Their sizes are known from now on.
      this.#batches = this.#sizes;
    }
    this.#next = new Map();
    for (const index of skipped) {
      const batch = this.#batches.get(index);
      if (batch) disposeKept(batch.kept);
      this.#batches.delete(index);
    }
  }

  dispose(): void {
    for (const { kept } of [...this.#batches.values(), ...this.#next.values()]) disposeKept(kept);
  }

  #sizes = new Map<number, { readonly samples: number; kept: Kept }>();

  #replay(
    levels: Levels,
    plans: { readonly keeping: PassPlan; readonly not: PassPlan },
    index: number,
    batch: Replayed,
  ) {
    const { samples } = batch;
    if (this.#cut === 0) this.#sizes.set(index, { samples, kept: new Map() });
    if (this.#keeping) {
      this.#bytes += bytesOf(levels, plans.keeping.keeps, samples);
      if (this.#bytes > this.#budget) this.#keepNothing();
    }
    const plan = this.#keeping ? plans.keeping : plans.not;
    const { measured, kept } = replay(this.#run.model, levels, plan, batch, stepOf(this.#run, this.#ready));
    if (this.#keeping) {
      this.#next.set(index, { samples, kept });
      // The earlier level of this batch is not needed any more.
      const before = this.#batches.get(index);
      if (before) {
        disposeKept(before.kept);
        before.kept = new Map();
      }
    }
    return measured;
  }

  #keepNothing(): void {
    for (const { kept } of this.#next.values()) disposeKept(kept);
    this.#next = new Map();
    this.#keeping = false;
  }
}
