import { useId } from 'preact/hooks';

export interface SliderProps<T> {
  readonly label: string;
  /** What can be chosen, from left to right. */
  readonly values: readonly T[];
  readonly value: T;
  readonly onChange: (value: T) => void;
  /** How a value is shown; default as text. */
  readonly show?: (value: T) => string;
  readonly hint?: string;
  readonly disabled?: boolean;
}

/** Chooses one of some values in order, evenly spaced whatever they are. */
export function Slider<T>({ label, values, value, onChange, show = String, hint, disabled }: SliderProps<T>) {
  const id = useId();
  const at = Math.max(0, values.indexOf(value));
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
        <output for={id}>{show(value)}</output>
      </div>
      <input
        id={id}
        type="range"
        min={0}
        max={values.length - 1}
        step={1}
        value={at}
        disabled={disabled}
        aria-valuetext={show(value)}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onInput={(event) => onChange(values[Number(event.currentTarget.value)] as T)}
      />
      {hint !== undefined && (
        <span class="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}
