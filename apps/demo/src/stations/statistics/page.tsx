import { useComputed, useSignal } from '@preact/signals';
import { TrainingFrame } from '../../training/training-frame.tsx';
import { useTraining } from '../../training/use-training.ts';
import { Conclusion } from '../../ui/conclusion.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { Slider } from '../../ui/slider.tsx';
import { Stat, Stats } from '../../ui/stat.tsx';
import { Switch } from '../../ui/switch.tsx';
import { Term } from '../../ui/term.tsx';
import { conclusionOf } from './conclusion.ts';
import { ErrorChart } from './error-chart.tsx';
import { LayersPanel } from './layers-panel.tsx';
import { seriesOf } from './series.ts';
import { DECAYS, type Decay, SAMPLES, type TrainEvent } from './settings.ts';
import type { tasks } from './tasks.ts';

const [STEPS, MEASURE_EVERY, VALIDATION, BATCH] = [240, 8, 500, 128];

export default function StatisticsPage() {
  const events = useSignal<readonly TrainEvent[]>([]);
  const training = useTraining<typeof tasks.train>({
    live: { decay: 0.99, samples: 1_000, layerwise: false },
    inAddress: { decay: DECAYS, samples: SAMPLES, layerwise: [false, true] },
    options: (seed) => ({
      seed,
      batchSize: BATCH,
      steps: STEPS,
      measureEvery: MEASURE_EVERY,
      validation: VALIDATION,
    }),
    onEvent(event) {
      events.value = [...events.value, event];
    },
    onStart() {
      events.value = [];
    },
    onReset() {
      events.value = [];
    },
  });
  const { live, change } = training;
  const latest = useComputed(() => events.value.at(-1));
  const series = useComputed(() => seriesOf(events.value, training.live.value.layerwise));
  return (
    <TrainingFrame
      lead={
        <>
          A network trains on handwritten digits. Every few steps it is tested as if training stopped there:
          with an <Term of="EMA" />, the moving average that training keeps, and with <Term of="PreciseBN" />,
          statistics of the whole <Term of="population" /> that are measured afresh while the weights are held
          still. The weights are the same, and so are the digits. What differs is the statistics, and with
          them the error.
        </>
      }
      training={training}
      stage={
        <Panel title="Error, if training stopped here">
          <Stats>
            {series.value.map(({ key, text, color }) => (
              <Stat key={key} name={text} color={color} value={percent(latest.value?.errors[key])} />
            ))}
          </Stats>
          <ErrorChart events={events.value} steps={STEPS} series={series.value} />
          <Conclusion
            text={conclusionOf(events.value)}
            waiting="Train, and this line says what became of the two errors."
            active={training.active.value}
          />
        </Panel>
      }
      controls={
        <>
          <Slider
            label="Decay of the EMA"
            values={DECAYS}
            value={live.value.decay}
            onChange={(decay: Decay) => change({ decay })}
            hint="Large: old weights still count. Small: only the last few batches do."
          />
          <Slider
            label="Samples for PreciseBN"
            values={SAMPLES}
            value={live.value.samples}
            onChange={(samples) => change({ samples })}
            show={(samples) => samples.toLocaleString('en')}
            hint="A thousand is usually enough."
          />
          <Switch checked={live.value.layerwise} onChange={(layerwise) => change({ layerwise })}>
            Measure layer by layer, too
          </Switch>
          <p class="field-hint">
            The <Term of="layerwise" /> way costs one pass for each layer.
          </p>
        </>
      }
    >
      <LayersPanel latest={latest.value} />
    </TrainingFrame>
  );
}
