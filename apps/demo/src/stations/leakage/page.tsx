import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useTask } from '../../lab/use-task.ts';
import { ErrorChart } from '../../three-errors/error-chart.tsx';
import { earlierRuns, withPoint } from '../../three-errors/runs.ts';
import { Button } from '../../ui/button.tsx';
import { Choices } from '../../ui/choices.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { RunButtons } from '../../ui/run-buttons.tsx';
import { Stat, Stats } from '../../ui/stat.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { AuditPanel } from './audit-panel.tsx';
import { BatchPicture } from './batch-picture.tsx';
import { CODE } from './code.ts';
import { RunTable } from './run-table.tsx';
import { changesOf, type LeakRun, nameOf } from './runs.ts';
import { type Batch, DEVICES, PER_DEVICE, SCHEMES, type Scheme, type TrainLive } from './settings.ts';
import type { tasks } from './tasks.ts';

const [STEPS, MEASURE_EVERY, EVALUATION, AUDITED, GHOSTS] = [320, 8, 6, 640, 2];
/** Of the batch in the picture: one of many classes. */
const SHOWN = 9;
const SEEDS = ['1', '2', '3'] as const;

export default function LeakagePage() {
  const runs = useSignal<readonly LeakRun[]>([]);
  const seed = useSignal<(typeof SEEDS)[number]>('1');
  const live = useSignal<TrainLive>({ scheme: 'apart', audits: 0 });
  const batch = useSignal<Batch | undefined>(undefined);
  const looking = useTask<typeof tasks.look>('leakage', 'look', 'Loading digits');
  const task = useTask<typeof tasks.train>('leakage', 'train', 'Training on digits', (event) => {
    if (event.kind === 'point') runs.value = withPoint(runs.value, event);
    else {
      runs.value = runs.value.map((run, at) =>
        at === runs.value.length - 1 ? { ...run, audit: event } : run,
      );
    }
  });
  useEffect(() => {
    void looking.start({ seed: SHOWN }, undefined).then((first) => {
      batch.value = first;
    });
  }, []);
  const current = useComputed(() => runs.value.at(-1));
  const latest = useComputed(() => current.value?.points.at(-1));
  const earlier = useComputed(() => earlierRuns(runs.value, nameOf, GHOSTS));
  const marks = useComputed(() => (current.value === undefined ? [] : changesOf(current.value)));
  const running = task.status.value === 'running';
  const active = running || task.status.value === 'paused';

  const change = (values: Partial<TrainLive>) => {
    live.value = { ...live.value, ...values };
    task.set(live.value);
  };
  const start = () => {
    runs.value = [...runs.value, { points: [] }];
    const options = {
      seed: Number(seed.value),
      steps: STEPS,
      measureEvery: MEASURE_EVERY,
      evaluation: EVALUATION,
      audited: AUDITED,
    };
    void task.start(options, live.value);
  };
  const reset = () => {
    task.reset();
    runs.value = [];
  };
  const errors = latest.value?.errors;
  const scheme = SCHEMES.find(({ name }) => name === live.value.scheme) as (typeof SCHEMES)[number];

  return (
    <StationFrame
      number={4}
      title="Leakage: a model that looks at its neighbours"
      lead={`${DEVICES} devices train together; each is given ${PER_DEVICE} digits of one class, as data sorted by class
        does it. What a device normalizes then depends on the label, and the network learns to read it there, instead
        of the digit. Its training loss falls, and alone with one digit it is lost. Mix the groups, and it has to read.`}
      controls={
        <>
          <RunButtons task={task} onStart={start} onReset={reset} start="Train" />
          <Choices
            label="Protection"
            options={SCHEMES.map(({ name, short }) => ({ value: name, text: short }))}
            value={live.value.scheme}
            onChange={(value: Scheme) => change({ scheme: value })}
          />
          <span class="field-hint">
            You can change it while it trains, and see what becomes of the cheat.
          </span>
          <Button onClick={() => change({ audits: live.value.audits + 1 })} disabled={!running}>
            Audit it now
          </Button>
          <Choices
            label="Seed"
            options={SEEDS.map((value) => ({ value, text: value }))}
            value={seed.value}
            disabled={active}
            onChange={(value) => {
              seed.value = value;
            }}
          />
        </>
      }
      code={CODE}
    >
      {task.error.value !== undefined && <Notice kind="bad">{task.error.value}</Notice>}
      {looking.error.value !== undefined && <Notice kind="bad">{looking.error.value}</Notice>}
      <div class="pair">
        <Panel title="Who is normalized together">
          <BatchPicture batch={batch.value} scheme={live.value.scheme} />
          <p class="explanation" aria-live="polite">
            {scheme.explanation}
          </p>
          <p class="field-hint">
            One batch of {DEVICES * PER_DEVICE} digits, coloured by class. Each block shares one mean and one
            variance: a block of one colour tells every digit in it what it is.
          </p>
        </Panel>
        <Panel title="What it learns">
          <Stats>
            <Stat name="Training loss" value={latest.value?.loss.toFixed(2)} />
            <Stat name="Training error" color="train" value={percent(errors?.training)} />
            <Stat name="Validation, mini-batch" color="mini-batch" value={percent(errors?.miniBatch)} />
            <Stat name="Validation, population" color="precise" value={percent(errors?.population)} />
          </Stats>
          <ErrorChart
            points={current.value?.points ?? NOTHING}
            steps={STEPS}
            most={100}
            ratio={[4, 3]}
            earlier={earlier.value}
            marks={marks.value}
          />
          <p class="field-hint">
            Mini-batch: digits never seen, in groups like those of training. Population: the same digits, each
            by itself, as the model will run. Guessing is wrong in 90% of cases.
          </p>
        </Panel>
      </div>
      <AuditPanel audit={current.value?.audit} />
      <Panel title="What you have tried so far">
        <RunTable runs={runs.value} />
      </Panel>
    </StationFrame>
  );
}

const NOTHING: LeakRun['points'] = [];
