import { computed } from '@preact/signals';
import { type Activity, activity } from '../lab/activity.ts';
import { device, notice, preference } from '../lab/lab.ts';
import type { DevicePreference } from '../lab/task.ts';
import { worksOffline } from '../offline/offline.ts';
import { STATIONS } from '../stations/index.ts';
import { Button } from '../ui/button.tsx';
import { preferDevice } from './preference.ts';
import { linkTo, stationName } from './route.ts';

/** What goes on on this station, else what was begun last on another one. */
const shown = computed<Activity | undefined>(() => {
  const all = activity.list.value;
  return all.find(({ station }) => station === stationName.value) ?? all.at(-1);
});

/** The device in use, a choice of another one, what goes on, and a way to end it: in sight on every station. */
export function StatusBar() {
  const current = shown.value;
  const found = device.value;
  return (
    <footer class="status-bar">
      <span class="device" data-ready={found !== undefined} data-testid="device" title={found?.fallback}>
        <span>
          {found?.description ?? (notice.value?.kind === 'broken' ? 'Not running' : 'Starting…')}
          {found?.fallback !== undefined && <span class="device-why">, because {found.fallback}</span>}
        </span>
      </span>
      <select
        aria-label="Compute on"
        value={preference.value}
        onChange={({ currentTarget }) => {
          if (!preferDevice(currentTarget.value as DevicePreference)) currentTarget.value = preference.value;
        }}
      >
        <option value="auto">Device: auto</option>
        <option value="webgpu">Device: WebGPU</option>
        <option value="wasm">Device: WASM</option>
      </select>
      {current === undefined ? (
        <span class="doing">
          <span>
            Everything runs on this machine{worksOffline.value && ', also offline'}; nothing is sent anywhere.
          </span>
        </span>
      ) : (
        <CurrentActivity />
      )}
      {current !== undefined && (
        <Button small disabled={current.ending.value} onClick={() => current.cancel()}>
          Cancel
        </Button>
      )}
    </footer>
  );
}

function CurrentActivity() {
  const current = shown.value;
  if (current === undefined) return null;
  const progress = current.progress.value;
  const paused = current.status.value === 'paused';
  const elsewhere =
    current.station === stationName.value ? undefined : STATIONS.find(({ name }) => name === current.station);
  const waits = progress === undefined && activity.list.value.length > 1;
  return (
    <div class="doing">
      <span>
        {elsewhere !== undefined && (
          <>
            <a href={linkTo(elsewhere.name)}>{elsewhere.short}</a>:{' '}
          </>
        )}
        {current.label}
        {current.ending.value
          ? ': stopping…'
          : `${paused ? ' (paused)' : ''}${waits ? ': waiting for its turn' : ''}${progress === undefined ? '' : `: ${progress.what}`}`}
      </span>
      <progress aria-label={current.label} max={progress?.total ?? 1} value={progress?.done ?? 0} />
    </div>
  );
}
