import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Choices } from '../ui/choices.tsx';
import { Notice } from '../ui/notice.tsx';
import { RunButtons, type RunButtonsProps } from '../ui/run-buttons.tsx';
import { StationFrame } from '../ui/station-frame.tsx';
import { SEEDS, type Training } from './use-training.ts';

export interface TrainingFrameProps {
  readonly lead: ComponentChildren;
  readonly training: Pick<
    Training<unknown, unknown, unknown>,
    'seed' | 'active' | 'chooseSeed' | 'start' | 'reset'
  > & { readonly task: RunButtonsProps['task'] & { readonly error: ReadonlySignal<string | undefined> } };
  /** The chart that the training draws, and what it comes to. */
  readonly stage: ComponentChildren;
  readonly controls: ComponentChildren;
  /** Below the seed. */
  readonly more?: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** What all stations look like that train: start, pause and step, controls, a seed, and what went wrong. */
export function TrainingFrame({ lead, training, stage, controls, more, children }: TrainingFrameProps) {
  const { task, seed, active, chooseSeed, start, reset } = training;
  return (
    <StationFrame
      lead={lead}
      actions={<RunButtons task={task} onStart={() => void start()} onReset={reset} start="Train" />}
      stage={
        <>
          {task.error.value !== undefined && <Notice kind="bad">{task.error.value}</Notice>}
          {stage}
        </>
      }
      controls={
        <>
          {controls}
          <Choices
            label="Seed"
            options={SEEDS.map((value) => ({ value, text: value }))}
            value={seed.value}
            disabled={active.value}
            onChange={chooseSeed}
          />
          {more}
        </>
      }
    >
      {children}
    </StationFrame>
  );
}
