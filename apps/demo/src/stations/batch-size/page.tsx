import { useComputed } from '@preact/signals';
import { oneOf } from '../../state/setting.ts';
import { useSettings } from '../../state/use-settings.ts';
import { ThreeErrorsChart } from '../../training/three-errors-chart.tsx';
import { TrainingFrame } from '../../training/training-frame.tsx';
import { useRuns } from '../../training/use-runs.ts';
import { useTraining } from '../../training/use-training.ts';
import { Button } from '../../ui/button.tsx';
import { Conclusion } from '../../ui/conclusion.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { Slider } from '../../ui/slider.tsx';
import { Stat, Stats } from '../../ui/stat.tsx';
import { Switch } from '../../ui/switch.tsx';
import { Term } from '../../ui/term.tsx';
import { conclusionOf } from './conclusion.ts';
import { changesOf, dotsOf, gapOf, nameOf, type SizeRun } from './runs.ts';
import { BATCH, SIZES, type TrainEvent } from './settings.ts';
import { SizeChart } from './size-chart.tsx';
import type { tasks } from './tasks.ts';

const [STEPS, MEASURE_EVERY, EVALUATION] = [240, 8, 1_024];

export default function BatchSizePage() {
  const runs = useRuns<TrainEvent, SizeRun>({ nameOf, changesOf });
  const { size } = useSettings({ size: oneOf(SIZES, 4) });
  const training = useTraining<typeof tasks.train>({
    live: { frozen: false },
    fresh: { frozen: false },
    options: (seed) => ({
      seed,
      normalizationBatch: size.value,
      steps: STEPS,
      measureEvery: MEASURE_EVERY,
      evaluation: EVALUATION,
    }),
    onEvent: runs.add,
    onStart: () => runs.start({ size: size.value, points: [] }),
    onReset: runs.clear,
  });
  const { live, active } = training;
  const { latest } = runs;
  const dots = useComputed(() => dotsOf(runs.all.value, STEPS));
  const trainAll = async () => {
    for (const one of SIZES) {
      size.value = one;
      // Cancelled, or failed: the rest is not wanted either.
      if ((await training.start()) === undefined) return;
    }
  };
  const errors = latest.value?.errors;

  return (
    <TrainingFrame
      lead={
        <>
          Every step takes {BATCH} digits; you choose how many of them share one mean and variance. With few,
          a digit’s neighbours are noise. The network trains with that noise and does not meet it again when
          it runs on the statistics of the <Term of="population" />. So the same network makes quite different
          errors on the same digits, and the gap is the difference between the two.
        </>
      }
      training={training}
      stage={
        <Panel title="Three errors of one network">
          <Stats>
            <Stat name="Training" color="train" value={percent(errors?.training)} />
            <Stat name="Validation, mini-batch" color="mini-batch" value={percent(errors?.miniBatch)} />
            <Stat name="Validation, population" color="precise" value={percent(errors?.population)} />
            <Stat name="Gap" value={latest.value && (100 * gapOf(latest.value)).toFixed(1)} detail="points" />
          </Stats>
          <ThreeErrorsChart {...runs.chart.value} steps={STEPS} />
          <Conclusion
            text={conclusionOf(runs.all.value)}
            waiting="Train, and this line says how far apart training and running are."
            active={active.value}
          />
        </Panel>
      }
      controls={
        <>
          <Slider
            label="Normalization batch"
            values={SIZES}
            value={size.value}
            disabled={active.value}
            onChange={(value) => {
              size.value = value;
            }}
            show={(value) => `${value} of ${BATCH}`}
            hint="How many digits share a mean. Takes effect with the next training."
          />
          <Switch
            checked={live.value.frozen}
            disabled={!active.value}
            onChange={(frozen) => training.change({ frozen })}
          >
            Freeze the statistics now
          </Switch>
          <span class="field-hint">
            While it trains: measures the statistics precisely and holds them still from then on (FrozenBN),
            at a small learning rate. Training then sees what the model will see when it runs.
          </span>
        </>
      }
      more={
        <Button onClick={() => void trainAll()} disabled={active.value}>
          Train with every size
        </Button>
      }
    >
      <Panel title="What you have tried so far">
        <SizeChart dots={dots.value} />
        <p class="field-hint">
          The latest errors for each size: squares are training, circles mini-batch, triangles population.
          Hollow ones are with frozen statistics, where the mini-batch error only shows what would have been.
          Try freezing a small size halfway through. Faint curves in the chart above are earlier trainings.
        </p>
      </Panel>
    </TrainingFrame>
  );
}
