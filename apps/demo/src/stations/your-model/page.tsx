import { Button } from '../../ui/button.tsx';
import { Choices } from '../../ui/choices.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Slider } from '../../ui/slider.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { Switch } from '../../ui/switch.tsx';
import { CODE } from './code.ts';
import { FilesPanel } from './files-panel.tsx';
import { RepairView } from './report/repair-view.tsx';
import { ReportView } from './report/report-view.tsx';
import { BATCH_SIZES, PRIORS, type RecalibrationMode, SAMPLES, SCALINGS } from './settings.ts';
import { type ModelState, useModel } from './use-model.ts';

const MODES: readonly { readonly value: RecalibrationMode; readonly text: string }[] = [
  { value: 'layerwise', text: 'Layer by layer' },
  { value: 'batch', text: 'By batches' },
];

export default function YourModelPage() {
  const state = useModel();
  const { report, repair, images, tasks } = state;
  const problems = [tasks.inspecting, tasks.repairing, tasks.saving].flatMap(
    ({ error }) => error.value ?? [],
  );
  return (
    <StationFrame
      number={5}
      title="Your model: what is wrong with its batches"
      lead="Drop a model of yours and images like those that it will see. You get a report on its batch normalization: whether
        the statistics that it stores are those of your images, how noisy its batches are, and what to do about it. Then
        recalibrate it here, compare, and take the repaired model home."
      top={<FilesPanel state={state} />}
      controls={<Controls state={state} />}
      code={CODE}
    >
      {problems.map((problem) => (
        <Notice kind="bad" key={problem}>
          <span>{problem}</span>
        </Notice>
      ))}
      {report.value === undefined ? (
        <Panel title="What to do">
          <p class="field-hint">
            {images.value === undefined
              ? 'With a model and images, “Inspect” says what is wrong with its statistics, if anything, and what helps.'
              : 'Check how the input is scaled, then inspect.'}
          </p>
        </Panel>
      ) : (
        <ReportView report={report.value} />
      )}
      {images.value !== undefined && (
        <Panel title="Before and after">
          <RepairView repair={repair.value} />
          <div class="button-row">
            <Button
              kind="primary"
              disabled={repair.value === undefined}
              onClick={() => {
                void state.save();
              }}
            >
              Download the repaired model
            </Button>
            <Button disabled={repair.value === undefined} onClick={() => void state.inspect('repaired')}>
              Inspect the repaired model
            </Button>
          </div>
          <p class="field-hint">
            Two files, model.json and model.weights.bin: keep them together, and load them as before. Only the
            moving means and variances differ from what you dropped; every other byte of the weights is the
            same.
          </p>
        </Panel>
      )}
    </StationFrame>
  );
}

function Controls({ state }: { readonly state: ModelState }) {
  const { settings, change, forget, images, model, tasks } = state;
  const { scaling, batchSize, labels, mode, samples, prior } = settings.value;
  const busy = Object.values(tasks).some(({ status }) => status.value === 'running');
  const ready = model.value !== undefined && images.value !== undefined && !busy;
  return (
    <>
      <div class="button-row">
        <Button kind="primary" disabled={!ready} onClick={() => void state.inspect()}>
          Inspect
        </Button>
        <Button kind="primary" disabled={!ready} onClick={() => void state.recalibrate()}>
          Recalibrate
        </Button>
      </div>
      <Choices
        label="Values of the input"
        options={SCALINGS.map((value) => ({ value, text: value.replace('..', ' to ') }))}
        value={scaling}
        disabled={busy}
        onChange={(value) => {
          change({ scaling: value });
          forget();
        }}
      />
      <p class="field-hint">As in training: a model that was fed 0 to 1 is lost on 0 to 255.</p>
      <Slider
        label="Batch size"
        values={BATCH_SIZES}
        value={batchSize}
        onChange={(value) => change({ batchSize: value })}
        disabled={busy}
        hint="Of the batches to inspect, and to measure by."
      />
      <Choices
        label="Recalibrate"
        options={MODES}
        value={mode}
        disabled={busy}
        onChange={(value) => change({ mode: value })}
      />
      <Slider
        label="Samples, at most"
        values={SAMPLES}
        value={samples}
        onChange={(value) => change({ samples: value })}
        show={(value) => value.toLocaleString('en')}
        disabled={busy}
        hint="A thousand are enough. A quarter of the images is held out to compare on."
      />
      <Slider
        label="Prior"
        values={PRIORS}
        value={prior}
        onChange={(value) => change({ prior: value })}
        show={(value) => (value === 0 ? 'none' : `${value} samples`)}
        disabled={busy}
        hint="What the old statistics count for. Helps when images are few."
      />
      <Switch
        checked={labels}
        disabled={busy || (images.value !== undefined && images.value.labels.length === 0)}
        onChange={(value) => change({ labels: value })}
      >
        Measure errors by labels
      </Switch>
    </>
  );
}
