import { activity } from '../lab/activity.ts';
import { device, notice } from '../lab/lab.ts';
import { Button } from '../ui/button.tsx';

/** The device in use, what goes on, and a way to end it: in sight on every station. */
export function StatusBar() {
  const current = activity.list.value[0];
  const found = device.value;
  return (
    <footer class="status-bar">
      <span class="device" data-ready={found !== undefined} data-testid="device" title={found?.fallback}>
        {found?.description ?? (notice.value?.kind === 'broken' ? 'Not running' : 'Starting…')}
        {found?.fallback !== undefined && <span class="visually-hidden">, because {found.fallback}</span>}
      </span>
      {current === undefined ? (
        <span class="doing">
          <span>Everything runs on this machine; nothing is sent anywhere.</span>
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
  const current = activity.list.value[0];
  if (current === undefined) return null;
  const progress = current.progress.value;
  const paused = current.status.value === 'paused';
  return (
    <div class="doing">
      <span>
        {current.label}
        {current.ending.value
          ? ': stopping…'
          : `${paused ? ' (paused)' : ''}${progress === undefined ? '' : `: ${progress.what}`}`}
      </span>
      <progress aria-label={current.label} max={progress?.total ?? 1} value={progress?.done ?? 0} />
    </div>
  );
}
