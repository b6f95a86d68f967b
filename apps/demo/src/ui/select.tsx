import { useId } from 'preact/hooks';
import type { ChoicesProps } from './choices.tsx';

/** One of many: as Choices, where all of them in sight would take too much room. */
export function Select<T extends string>({ label, options, value, onChange, disabled }: ChoicesProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
      </div>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value as T)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </div>
  );
}
