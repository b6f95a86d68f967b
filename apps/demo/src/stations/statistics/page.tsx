import { useComputed, useSignal } from '@preact/signals';
import { useTask } from '../../lab/use-task.ts';
import { Choices } from '../../ui/choices.tsx';
import { HeatStrip } from '../../ui/heat-strip.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { RunButtons } from '../../ui/run-buttons.tsx';
import { Slider } from '../../ui/slider.tsx';
import { Stat, Stats } from '../../ui/stat.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { Switch } from '../../ui/switch.tsx';
import { CODE } from './code.ts';
import { ErrorChart } from './error-chart.tsx';
import { DECAYS, type Decay, SAMPLES, type TrainEvent, type TrainLive } from './settings.ts';
import type { tasks } from './tasks.ts';

const [STEPS, MEASURE_EVERY, VALIDATION, BATCH] = [240, 8, 500, 128];
const SEEDS = ['1', '2', '3'] as const;

export default function StatisticsPage() {
  const events = useSignal<readonly TrainEvent[]>([]);
  const seed = useSignal<(typeof SEEDS)[number]>('1');
  const live = useSignal<TrainLive>({ decay: 0.99, samples: 1_000, layerwise: false });
  const task = useTask<typeof tasks.train>('statistics', 'train', 'Training on digits', (event) => {
    events.value = [...events.value, event];
  });
  const latest = useComputed(() => events.value.at(-1));
  const change = (values: Partial<TrainLive>) => {
    live.value = { ...live.value, ...values };
    task.set(live.value);
  };
  const start = () => {
    events.value = [];
    const options = {
      seed: Number(seed.value),
      batchSize: BATCH,
      steps: STEPS,
      measureEvery: MEASURE_EVERY,
      validation: VALIDATION,
    };
    void task.start(options, live.value);
  };
  const reset = () => {
    task.reset();
    events.value = [];
  };
  return (
    <StationFrame
      number={1}
      title="Statistics: the average that lags behind"
      lead="A network trains on handwritten digits. At every point it is tested as if training stopped there, under the
        moving average that training keeps, and under statistics measured anew with the weights held still (PreciseBN).
        Same weights, different statistics: watch how far apart the errors are."
      controls={
        <>
          <RunButtons task={task} onStart={start} onReset={reset} start="Train" />
          <Slider
            label="Decay of the EMA"
            values={DECAYS}
            value={live.value.decay}
            onChange={(decay: Decay) => change({ decay })}
            hint="Large: old weights still count. Small: only the last batches do."
          />
          <Slider
            label="Samples for PreciseBN"
            values={SAMPLES}
            value={live.value.samples}
            onChange={(samples) => change({ samples })}
            show={(samples) => samples.toLocaleString('en')}
            hint="A thousand are enough."
          />
          <Switch checked={live.value.layerwise} onChange={(layerwise) => change({ layerwise })}>
            Also layer by layer
          </Switch>
          <Choices
            label="Seed"
            options={SEEDS.map((value) => ({ value, text: value }))}
            value={seed.value}
            disabled={task.status.value === 'running' || task.status.value === 'paused'}
            onChange={(value) => {
              seed.value = value;
            }}
          />
        </>
      }
      code={CODE}
    >
      {task.error.value !== undefined && <Notice kind="bad">{task.error.value}</Notice>}
      <Panel title="Validation error, if training stopped here">
        <Stats>
          <Stat name="EMA" color="ema" value={percent(latest.value?.errors.ema)} />
          <Stat name="PreciseBN" color="precise" value={percent(latest.value?.errors.precise)} />
          <Stat
            name="Layerwise"
            color="layerwise"
            value={percent(latest.value?.errors.layerwise)}
            {...(live.value.layerwise ? {} : { detail: 'switched off' })}
          />
          <Stat name="Mini-batch" color="mini-batch" value={percent(latest.value?.errors.miniBatch)} />
        </Stats>
        <ErrorChart events={events.value} steps={STEPS} />
      </Panel>
      <Panel title="How far the average is from the truth, layer by layer">
        <p class="field-hint">
          One cell per channel: the distance of its mean from the precise one, in standard deviations. Full
          colour is 1 or more.
        </p>
        {['BN 1', 'BN 2', 'BN 3'].map((name, at) => (
          <div class="field" key={name}>
            <h3>{name}</h3>
            <HeatStrip
              label={`Shift of ${name}`}
              values={latest.value?.shifts[at]?.means ?? new Float64Array(8)}
              most={1}
            />
          </div>
        ))}
      </Panel>
    </StationFrame>
  );
}
