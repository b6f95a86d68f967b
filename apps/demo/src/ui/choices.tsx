import { useId } from 'preact/hooks';

export interface ChoicesProps<T extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly text: string }[];
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly disabled?: boolean;
}

/** One of a few, all of them in sight. */
export function Choices<T extends string>({ label, options, value, onChange, disabled }: ChoicesProps<T>) {
  const name = useId();
  return (
    <fieldset class="choices" disabled={disabled}>
      <legend>{label}</legend>
      <div class="choices-list">
        {options.map((option) => (
          <label class="choice" key={option.value}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>{option.text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
