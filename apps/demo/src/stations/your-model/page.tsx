import './style.css';
import { Button } from '../../ui/button.tsx';
import { Choices } from '../../ui/choices.tsx';
import { Conclusion } from '../../ui/conclusion.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Slider } from '../../ui/slider.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { Switch } from '../../ui/switch.tsx';
import { FilesPanel } from './files-panel.tsx';
import { conclusionOf } from './report/conclusion.ts';
import { estimates } from './report/estimate.ts';
import { RepairLayers, RepairView } from './report/repair-view.tsx';
import { ReportView } from './report/report-view.tsx';
import {
  BATCH_SIZES,
  type ImagesInfo,
  PRIORS,
  type RecalibrationMode,
  type RepairOptions,
  SAMPLES,
  SCALINGS,
} from './settings.ts';
import { type ModelState, useModel } from './use-model.ts';

const MODES: readonly { readonly value: RecalibrationMode; readonly text: string }[] = [
  { value: 'layerwise', text: 'Layer by layer' },
  { value: 'batch', text: 'By batches' },
];

export default function YourModelPage() {
  const state = useModel();
  const { report, repair, images, model, tasks } = state;
  const problems = [tasks.inspecting, tasks.repairing, tasks.saving].flatMap(
    ({ error }) => error.value ?? [],
  );
  const busy = isBusy(state);
  const repairing = tasks.repairing.status.value === 'running';
  const after = images.value !== undefined && (
    <Panel title="Before and after">
      <div class="button-row">
        <Button
          kind="primary"
          disabled={repair.value === undefined || busy}
          onClick={() => void state.save()}
        >
          Download the repaired model
        </Button>
        <Button disabled={repair.value === undefined || busy} onClick={() => void state.inspect('repaired')}>
          Inspect the repaired model
        </Button>
      </div>
      <RepairView repair={repair.value} />
      <p class="field-hint">
        Two files, model.json and model.weights.bin: keep them together, and load them as before.{' '}
        {model.value?.kind === 'graph'
          ? 'The new statistics are built into the weights of the layers that are normalized; everything else is as it was.'
          : 'Only the moving means and variances differ from what you dropped; every other byte of the weights is the same.'}
      </p>
    </Panel>
  );
  return (
    <StationFrame
      lead="Drop in a model of yours and images like those it will see. The report says whether the statistics that it
        stores fit your images, how noisy its batches are, and what to do about it. Then recalibrate it here, compare, and
        download the repaired model."
      top={
        <>
          <FilesPanel state={state} />
          <Conclusion
            text={conclusionOf(report.value, repair.value)}
            waiting="Once a model has been inspected, this line says what its statistics cost it."
          />
        </>
      }
      controls={<Controls state={state} />}
    >
      {problems.map((problem) => (
        <Notice kind="bad" key={problem}>
          <span>{problem}</span>
        </Notice>
      ))}
      {/* What one came for comes first, as soon as it is asked for: when it comes, nothing has to move. */}
      {(repairing || repair.value !== undefined) && after}
      {report.value === undefined ? (
        <Panel title="What to do">
          <p class="field-hint">
            {images.value === undefined
              ? 'Once there are a model and some images, “Inspect” says what, if anything, is wrong with its statistics, and what helps.'
              : 'Check how the input is scaled, then inspect.'}
          </p>
        </Panel>
      ) : (
        <ReportView report={report.value} />
      )}
      {!repairing && repair.value === undefined && after}
      {repair.value !== undefined && (
        <Panel title="Before and after, layer by layer">
          <RepairLayers repair={repair.value} />
        </Panel>
      )}
    </StationFrame>
  );
}

function Controls({ state }: { readonly state: ModelState }) {
  const { settings, change, forget, images, model } = state;
  const { scaling, batchSize, labels, mode, samples, prior } = settings.value;
  const busy = isBusy(state);
  const folded = model.value?.needsReference === true;
  const known = !folded || (images.value?.reference ?? 0) > 0;
  const ready = model.value !== undefined && images.value !== undefined && known && !busy;
  return (
    <>
      <div class="button-row">
        <Button kind="primary" disabled={!ready} onClick={() => void state.inspect()}>
          Inspect
        </Button>
        <Button kind="primary" disabled={!ready} onClick={() => void state.recalibrate()}>
          {folded ? 'Adapt to the images' : 'Recalibrate'}
        </Button>
      </div>
      {images.value !== undefined && <TimeHint images={images.value} settings={settings.value} />}
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
      <p class="field-hint">As in training: a model trained on 0 to 1 is lost on 0 to 255.</p>
      <Slider
        label="Batch size"
        values={BATCH_SIZES}
        value={batchSize}
        onChange={(value) => change({ batchSize: value })}
        disabled={busy}
        hint="Of the batches that are inspected and measured."
      />
      {!folded && (
        <Choices
          label="Recalibrate"
          options={MODES}
          value={mode}
          disabled={busy}
          onChange={(value) => change({ mode: value })}
        />
      )}
      <Slider
        label="Samples, at most"
        values={SAMPLES}
        value={samples}
        onChange={(value) => change({ samples: value })}
        show={(value) => value.toLocaleString('en')}
        disabled={busy}
        hint="A thousand is usually enough. A quarter of the images is held out for comparison."
      />
      <Slider
        label="Prior"
        values={PRIORS}
        value={prior}
        onChange={(value) => change({ prior: value })}
        show={(value) => (value === 0 ? 'none' : `${value} samples`)}
        disabled={busy}
        hint="How many samples the old statistics count for. Helps when there are few images."
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

const isBusy = ({ tasks }: ModelState) =>
  Object.values(tasks).some(({ status }) => status.value === 'running');

/** What is coming, before it is begun. */
function TimeHint({ images, settings }: { readonly images: ImagesInfo; readonly settings: RepairOptions }) {
  const { inspect, recalibrate } = estimates(images, settings);
  return (
    <p class="field-hint">
      On this device: {inspect} to inspect, {recalibrate} to recalibrate.
    </p>
  );
}
