import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { Button } from '../../ui/button.tsx';
import { download } from '../../ui/download.ts';
import { FileButton } from '../../ui/file-button.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { percent } from '../../ui/percent.ts';
import { SOURCE } from './settings.ts';
import { type Domains, nameOf } from './use-domains.ts';

/** The bank: statistics under names, one model for all of them. */
export function StoredDomains({ domains }: { readonly domains: Domains }) {
  const { bank, known, present, domain, tasks } = domains;
  const id = useId();
  /** Undefined until the visitor types one. */
  const typed = useSignal<string | undefined>(undefined);
  const said = useSignal<string | undefined>(undefined);
  const name = typed.value ?? nameOf(domain.value);
  const ready = present.value !== undefined;
  const error = [tasks.use, tasks.store, tasks.forget, tasks.save, tasks.load]
    .map((task) => task.error.value)
    .find((text) => text !== undefined);

  const store = async () => {
    said.value = undefined;
    await domains.storeAs(name.trim());
    typed.value = undefined;
  };
  const load = async (file: File) => {
    const names = await domains.loadFile(file);
    said.value = names === undefined ? undefined : `Loaded: ${names.join(', ')}.`;
  };
  const save = async () => {
    said.value = undefined;
    const bytes = await domains.saveFile();
    if (bytes !== undefined) download('domains.safetensors', new Blob([bytes as Uint8Array<ArrayBuffer>]));
  };

  return (
    <Panel title="Stored domains: one model, many sets of statistics">
      <p class="field-hint">
        A domain is one mean and one variance per channel. Store what you have adapted, and switch between
        domains at once. Accuracies are on the digits above, so the statistics of another domain score lower.
      </p>
      {error !== undefined && <Notice kind="bad">{error}</Notice>}
      <form
        class="store-form"
        onSubmit={(event) => {
          event.preventDefault();
          void store();
        }}
      >
        <div class="field">
          <div class="field-head">
            <label for={id}>Name</label>
          </div>
          <input
            id={id}
            type="text"
            maxLength={60}
            value={name}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
            }}
          />
        </div>
        <button type="submit" class="button" disabled={!ready || name.trim() === ''}>
          Store these statistics
        </button>
      </form>
      <ul class="stored" aria-label="Stored domains">
        {bank.value.names.map((one) => (
          <li key={one}>
            <Button
              pressed={one === bank.value.current}
              disabled={!ready}
              onClick={() => void domains.switchTo(one)}
            >
              {one}
            </Button>
            <span class="number">{percent(known.value[one]) ?? '–'}</span>
            <Button
              kind="quiet"
              small
              label={`Forget ${one}`}
              disabled={one === SOURCE}
              onClick={() => void domains.remove(one)}
            >
              Forget
            </Button>
          </li>
        ))}
      </ul>
      <div class="button-row">
        <Button disabled={!ready} onClick={() => void save()}>
          Download all
        </Button>
        <FileButton accept=".safetensors" disabled={!ready} onFiles={([file]) => void load(file as File)}>
          Load a file
        </FileButton>
      </div>
      <p class="field-hint" role="status">
        {said.value ?? 'The file is in the safetensors format, which Python can read, too.'}
      </p>
    </Panel>
  );
}
