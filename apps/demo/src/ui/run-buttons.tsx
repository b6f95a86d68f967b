import type { ReadonlySignal } from '@preact/signals';
import type { TaskStatus } from '../lab/task.ts';
import { Button } from './button.tsx';

export interface RunButtonsProps {
  readonly task: {
    readonly status: ReadonlySignal<TaskStatus>;
    pause(): void;
    resume(): void;
    step(): void;
  };
  readonly onStart: () => void;
  readonly onReset: () => void;
  /** What the button that starts says. */
  readonly start: string;
}

/** Start, pause, step and reset of a task that goes on for a while. */
export function RunButtons({ task, onStart, onReset, start }: RunButtonsProps) {
  const status = task.status.value;
  const active = status === 'running' || status === 'paused';
  return (
    <div class="run-buttons">
      {!active && (
        <Button kind="primary" onClick={onStart}>
          {status === 'idle' ? start : `${start} again`}
        </Button>
      )}
      {status === 'running' && (
        <Button kind="primary" onClick={() => task.pause()}>
          Pause
        </Button>
      )}
      {status === 'paused' && (
        <Button kind="primary" onClick={() => task.resume()}>
          Resume
        </Button>
      )}
      <Button onClick={() => task.step()} disabled={status !== 'paused'}>
        Step
      </Button>
      <Button kind="quiet" onClick={onReset} disabled={status === 'idle'}>
        Reset
      </Button>
    </div>
  );
}
