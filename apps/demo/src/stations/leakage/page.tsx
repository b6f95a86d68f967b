import './style.css';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useTask } from '../../lab/use-task.ts';
import { ThreeErrorsChart } from '../../training/three-errors-chart.tsx';
import { TrainingFrame } from '../../training/training-frame.tsx';
import { useRuns } from '../../training/use-runs.ts';
import { useTraining } from '../../training/use-training.ts';
import { Button } from '../../ui/button.tsx';
import { Choices } from '../../ui/choices.tsx';
import { Conclusion } from '../../ui/conclusion.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { Stat, Stats } from '../../ui/stat.tsx';
import { AuditPanel } from './audit-panel.tsx';
import { BatchPicture } from './batch-picture.tsx';
import { conclusionOf } from './conclusion.ts';
import { RunTable } from './run-table.tsx';
import { changesOf, type LeakRun, nameOf } from './runs.ts';
import { type Batch, DEVICES, PER_DEVICE, type PointEvent, SCHEMES, type Scheme } from './settings.ts';
import type { tasks } from './tasks.ts';

const [STEPS, MEASURE_EVERY, EVALUATION, AUDITED] = [320, 16, 10, 640];
/** Of the batch in the picture: one of many classes. */
const SHOWN = 9;

export default function LeakagePage() {
  const runs = useRuns<PointEvent, LeakRun>({ nameOf, changesOf });
  const training = useTraining<typeof tasks.train>({
    live: { scheme: 'apart', audits: 0 },
    inAddress: { scheme: SCHEMES.map(({ name }) => name) },
    options: (seed) => ({
      seed,
      steps: STEPS,
      measureEvery: MEASURE_EVERY,
      evaluation: EVALUATION,
      audited: AUDITED,
    }),
    onEvent(event) {
      if (event.kind === 'point') runs.add(event);
      else runs.note({ audit: event });
    },
    onStart: () => runs.start({ points: [] }),
    onReset: runs.clear,
  });
  const batch = useSignal<Batch | undefined>(undefined);
  const looking = useTask<typeof tasks.look>('look', 'Loading digits', undefined, { passing: true });
  useEffect(() => {
    void looking.start({ seed: SHOWN }, undefined).then((first) => {
      batch.value = first;
    });
  }, []);
  const { live, change } = training;
  const { current, latest } = runs;
  const errors = latest.value?.errors;
  const scheme = SCHEMES.find(({ name }) => name === live.value.scheme) as (typeof SCHEMES)[number];

  return (
    <TrainingFrame
      lead={
        <>
          {DEVICES} devices train together. Each is given {PER_DEVICE} digits of one class, as happens when
          data is sorted, and of every digit only a fragment can be seen. One fragment says little;{' '}
          {PER_DEVICE} of the same class together say a lot, and their shared mean and variance carry it to
          each of them. So the network learns to read its neighbours. That pays as long as it has them. Mix
          the groups, and it has to read the digit.
        </>
      }
      training={training}
      stage={
        <>
          {looking.error.value !== undefined && <Notice kind="bad">{looking.error.value}</Notice>}
          <Panel title="What it learns">
            <Stats>
              <Stat name="Training loss" value={latest.value?.loss.toFixed(2)} />
              <Stat name="Training error" color="train" value={percent(errors?.training)} />
              <Stat name="Validation, mini-batch" color="mini-batch" value={percent(errors?.miniBatch)} />
              <Stat name="Validation, population" color="precise" value={percent(errors?.population)} />
            </Stats>
            <ThreeErrorsChart {...runs.chart.value} steps={STEPS} />
            <Conclusion
              text={conclusionOf(runs.all.value)}
              waiting="Train, and this line says whether the network cheats, and what that is worth."
              active={training.active.value}
            />
          </Panel>
        </>
      }
      controls={
        <>
          <Choices
            label="Protection"
            options={SCHEMES.map(({ name, short }) => ({ value: name, text: short }))}
            value={live.value.scheme}
            onChange={(value: Scheme) => change({ scheme: value })}
          />
          <span class="field-hint">
            You can change it during training, and watch what becomes of the cheat.
          </span>
          <Button
            onClick={() => change({ audits: live.value.audits + 1 })}
            disabled={training.task.status.value !== 'running'}
          >
            Audit it now
          </Button>
          <h3>Who is normalized together</h3>
          <BatchPicture batch={batch.value} scheme={live.value.scheme} />
          <p class="explanation" aria-live="polite">
            {scheme.explanation}
          </p>
          <p class="field-hint">
            One batch of {DEVICES * PER_DEVICE} fragments, coloured by class. Each block shares one mean and
            one variance.
          </p>
        </>
      }
    >
      <AuditPanel audit={current.value?.audit} />
      <Panel title="What you have tried so far">
        <RunTable runs={runs.all.value} />
        <p class="field-hint">
          Mini-batch: new digits in groups like those of training. Population: the same digits, each alone, as
          the model will run. Guessing is wrong 90% of the time. Faint curves are earlier trainings.
        </p>
      </Panel>
    </TrainingFrame>
  );
}
