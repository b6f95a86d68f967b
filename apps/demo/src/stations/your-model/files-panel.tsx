import { useSignal } from '@preact/signals';
import { Button } from '../../ui/button.tsx';
import { chosenFiles, DropZone } from '../../ui/drop-zone.tsx';
import { FileButton } from '../../ui/file-button.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Picture } from '../../ui/picture.tsx';
import { type ImagesInfo, type ModelInfo, REFERENCE } from './settings.ts';
import type { ModelState } from './use-model.ts';

/** Where files are dropped, and what came of them. */
export function FilesPanel({ state }: { readonly state: ModelState }) {
  const { given, model, images, tasks, take, clear, openFiles, tryExample } = state;
  const choose = (files: readonly File[]) => take(chosenFiles(files));
  const chooseReference = (files: readonly File[]) =>
    take(chosenFiles(files).map(({ path, file }) => ({ path: `${REFERENCE}/${path}`, file })));
  const isTraining = tasks.example.status.value === 'running';
  const isReading = [tasks.open, tasks.decode].some(({ status }) => status.value === 'running');
  const unread = useSignal<string | undefined>(undefined);
  const errors = [unread, ...[tasks.open, tasks.decode, tasks.example].map(({ error }) => error)];
  const problems = errors.flatMap(({ value }) => value ?? []);
  const waiting = given.value.images.length;
  const unused = model.value === undefined && waiting > 0 && !isReading;
  const unopened = model.value === undefined && given.value.model.length > 0 && !isReading;
  const nothing = model.value === undefined && given.value.model.length + waiting === 0;
  return (
    <Panel title="The model and the images">
      <DropZone
        label="Drop files here"
        onFiles={(files) => {
          unread.value = undefined;
          take(files);
        }}
        onError={(error) => {
          unread.value = `What was dropped could not be read (${error.message}). Choose the files by a button instead.`;
        }}
      >
        <strong>Drop a tfjs model and some images here</strong>
        <p class="field-hint">
          A layers or graph model: <code>model.json</code> and its weight files, or one file of Keras,{' '}
          <code>.keras</code> or <code>.h5</code>. Images like those that it was trained on, a few hundred of
          them; a folder will do. They stay on this machine. To have errors measured, give each image its
          label as its folder or as the start of its name: <code>cat/1.png</code> or <code>7_photo.png</code>.
          Numbers are taken as classes; other labels are numbered in alphabetical order.
        </p>
        <div class="button-row">
          <FileButton multiple onFiles={choose}>
            Choose a model
          </FileButton>
          <FileButton multiple accept="image/*" onFiles={choose}>
            Choose images
          </FileButton>
          <FileButton folder onFiles={choose}>
            Choose a folder
          </FileButton>
          {model.value?.needsReference === true && (
            <FileButton multiple accept="image/*" onFiles={chooseReference}>
              Choose reference images
            </FileButton>
          )}
          <Button kind="primary" onClick={() => void tryExample()} disabled={isTraining}>
            Try it with an example
          </Button>
        </div>
      </DropZone>
      {problems.map((problem) => (
        <Notice kind="bad" key={problem}>
          <span>{problem}</span>
        </Notice>
      ))}
      {model.value?.needsReference === true && !images.value?.reference && (
        <Notice kind="plain">
          This graph has its batch normalization folded into its weights: nothing in it says what it expects.
          Choose a few dozen reference images, on which it works, or drop them in a folder named{' '}
          <code>{REFERENCE}</code>; and others, on which it does not.
        </Notice>
      )}
      {unused && (
        <Notice kind="plain">
          {waiting === 1 ? 'One image is waiting' : `${waiting} images are waiting`} for the model, whose
          input says how large images must be.
        </Notice>
      )}
      <dl class="facts model-facts" aria-live="polite">
        <dt>Model</dt>
        <dd>{model.value === undefined ? (isReading ? 'reading…' : '–') : modelText(model.value)}</dd>
        <dt>Normalized by</dt>
        <dd>{model.value === undefined ? '–' : normalizationText(model.value)}</dd>
        <dt>Images</dt>
        <dd>{images.value === undefined ? '–' : imagesText(images.value)}</dd>
        <dt>Labels</dt>
        <dd>{images.value === undefined ? '–' : labelsText(images.value)}</dd>
      </dl>
      {images.value?.remarks.map((remark) => (
        <Notice kind="warn" key={remark}>
          {remark}
        </Notice>
      ))}
      <div class="pictures">
        {images.value?.preview.map(({ path, pixels }) => (
          <Picture
            key={path}
            pixels={pixels}
            height={images.value?.size[0] ?? 1}
            width={images.value?.size[1] ?? 1}
            label={path}
          />
        ))}
      </div>
      <div class="button-row">
        <Button small kind="quiet" disabled={nothing} onClick={clear}>
          Remove all
        </Button>
        {unopened && (
          <Button small onClick={() => void openFiles()}>
            Open the files again
          </Button>
        )}
      </div>
    </Panel>
  );
}

function modelText({ name, kind, layers, parameters, input, classes }: ModelInfo): string {
  const size = `${input[0] ?? 'any'} × ${input[1] ?? 'any'} × ${input[2]}`;
  const output = classes === null ? '' : `, ${classes} classes`;
  const title =
    name === 'example'
      ? 'a digit network, trained here for 120 steps with a slow moving average (momentum 0.999)'
      : name;
  return `${title}: ${layers} ${kind === 'graph' ? 'nodes' : 'layers'}, ${parameters.toLocaleString('en')} parameters, images of ${size}${output}`;
}

function normalizationText({ batchNormLayers, needsReference }: ModelInfo): string {
  const names = batchNormLayers.map(({ name, channels }) => `${name} (${channels})`);
  const shown = names.length > 6 ? `${names.slice(0, 5).join(', ')}, … ${names.at(-1)}` : names.join(', ');
  const one = names.length === 1;
  const what = needsReference ? (one ? 'folded site' : 'folded sites') : one ? 'layer' : 'layers';
  return `${names.length} ${what}: ${shown}`;
}

function imagesText({ count, reference, size, resized }: ImagesInfo): string {
  const shape = `${size[0]} × ${size[1]}, ${size[2] === 1 ? 'gray' : `${size[2]} channels`}`;
  const stretched =
    resized === 0 ? '' : `; ${resized === count ? 'all' : resized} had another size and were stretched`;
  const known = reference === 0 ? '' : `; and ${reference.toLocaleString('en')} for reference`;
  return `${count.toLocaleString('en')} images of ${shape}${stretched}${known}`;
}

function labelsText({ labels }: ImagesInfo): string {
  if (labels.length === 0) return 'none, so no errors are measured';
  const shown = labels
    .slice(0, 12)
    .map(({ name, class: at }) => (name === String(at) ? name : `${name} = ${at}`));
  return `${shown.join(', ')}${labels.length > 12 ? `, and ${labels.length - 12} more` : ''}`;
}
