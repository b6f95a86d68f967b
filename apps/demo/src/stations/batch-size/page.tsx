import { useComputed, useSignal } from '@preact/signals';
import { useTask } from '../../lab/use-task.ts';
import { ErrorChart } from '../../three-errors/error-chart.tsx';
import { earlierRuns, withPoint } from '../../three-errors/runs.ts';
import { Button } from '../../ui/button.tsx';
import { Choices } from '../../ui/choices.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { RunButtons } from '../../ui/run-buttons.tsx';
import { Slider } from '../../ui/slider.tsx';
import { Stat, Stats } from '../../ui/stat.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { Switch } from '../../ui/switch.tsx';
import { CODE } from './code.ts';
import { changesOf, dotsOf, gapOf, nameOf, type SizeRun } from './runs.ts';
import { BATCH, SIZES, type Size, type TrainLive } from './settings.ts';
import { SizeChart } from './size-chart.tsx';
import type { tasks } from './tasks.ts';

const [STEPS, MEASURE_EVERY, EVALUATION, GHOSTS] = [240, 8, 1_024, 2];
const SEEDS = ['1', '2', '3'] as const;

export default function BatchSizePage() {
  const runs = useSignal<readonly SizeRun[]>([]);
  const size = useSignal<Size>(4);
  const seed = useSignal<(typeof SEEDS)[number]>('1');
  const live = useSignal<TrainLive>({ frozen: false });
  const task = useTask<typeof tasks.train>('batch-size', 'train', 'Training on digits', (event) => {
    runs.value = withPoint(runs.value, event);
  });
  const current = useComputed(() => runs.value.at(-1));
  const latest = useComputed(() => current.value?.points.at(-1));
  const earlier = useComputed(() => earlierRuns(runs.value, nameOf, GHOSTS));
  const marks = useComputed(() => (current.value === undefined ? [] : changesOf(current.value)));
  const dots = useComputed(() => dotsOf(runs.value, STEPS));
  const active = task.status.value === 'running' || task.status.value === 'paused';

  const freeze = (frozen: boolean) => {
    live.value = { frozen };
    task.set(live.value);
  };
  const train = () => {
    live.value = { frozen: false };
    runs.value = [...runs.value, { size: size.value, points: [] }];
    const options = {
      seed: Number(seed.value),
      normalizationBatch: size.value,
      steps: STEPS,
      measureEvery: MEASURE_EVERY,
      evaluation: EVALUATION,
    };
    return task.start(options, live.value);
  };
  const trainAll = async () => {
    for (const one of SIZES) {
      size.value = one;
      // Cancelled, or failed: the rest is not wanted either.
      if ((await train()) === undefined) return;
    }
  };
  const reset = () => {
    task.reset();
    runs.value = [];
    live.value = { frozen: false };
  };
  const errors = latest.value?.errors;

  return (
    <StationFrame
      number={2}
      title="Batch size: how many share one mean"
      lead={`Every step takes ${BATCH} digits. You choose how many of them are normalized together. With few, a digit's
        neighbours are noise that the network trains with and does not meet again when it runs on population statistics:
        the same network, on the same digits, makes quite different errors.`}
      controls={
        <>
          <RunButtons task={task} onStart={() => void train()} onReset={reset} start="Train" />
          <Slider
            label="Normalization batch"
            values={SIZES}
            value={size.value}
            disabled={active}
            onChange={(value) => {
              size.value = value;
            }}
            show={(value) => `${value} of ${BATCH}`}
            hint="Small: a wide gap between the errors. Large: they meet. For the next training."
          />
          <Switch checked={live.value.frozen} disabled={!active} onChange={freeze}>
            Freeze the statistics now
          </Switch>
          <span class="field-hint">
            While it trains: measures the statistics precisely, and goes on training with them held still
            (FrozenBN), at a small learning rate. Training then is what runs later.
          </span>
          <Choices
            label="Seed"
            options={SEEDS.map((value) => ({ value, text: value }))}
            value={seed.value}
            disabled={active}
            onChange={(value) => {
              seed.value = value;
            }}
          />
          <Button onClick={() => void trainAll()} disabled={active}>
            Train with every size
          </Button>
        </>
      }
      code={CODE}
    >
      {task.error.value !== undefined && <Notice kind="bad">{task.error.value}</Notice>}
      <Panel title="Three errors of one network">
        <Stats>
          <Stat name="Training" color="train" value={percent(errors?.training)} />
          <Stat name="Validation, mini-batch" color="mini-batch" value={percent(errors?.miniBatch)} />
          <Stat name="Validation, population" color="precise" value={percent(errors?.population)} />
          <Stat name="Gap" value={latest.value && (100 * gapOf(latest.value)).toFixed(1)} detail="points" />
        </Stats>
        <ErrorChart
          points={current.value?.points ?? NOTHING}
          steps={STEPS}
          most={60}
          earlier={earlier.value}
          marks={marks.value}
        />
        <p class="field-hint">
          The gap: how far apart the errors on the same new digits are, normalized as in training and as the
          model will run. Once you freeze, both are by population statistics, and mini-batches show only what
          would have been. Faint curves are the trainings before this one.
        </p>
      </Panel>
      <Panel title="What you have tried so far">
        <p class="field-hint">
          Dots: the last errors of each size. Diamonds: with frozen statistics. Freeze a small size after half
          of the steps, and compare where its training and population errors end.
        </p>
        <SizeChart dots={dots.value} />
      </Panel>
    </StationFrame>
  );
}

const NOTHING: SizeRun['points'] = [];
