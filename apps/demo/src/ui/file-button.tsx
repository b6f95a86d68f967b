import { useId } from 'preact/hooks';

export interface FileButtonProps {
  readonly children: string;
  /** What the dialog offers, such as `.safetensors`. */
  readonly accept: string;
  readonly onFile: (file: File) => void;
  readonly disabled?: boolean;
}

/** A button that asks for a file. */
export function FileButton({ children, accept, onFile, disabled }: FileButtonProps) {
  const id = useId();
  return (
    <span class="file-button">
      <input
        id={id}
        type="file"
        accept={accept}
        disabled={disabled}
        onChange={(event) => {
          const input = event.currentTarget;
          const file = input.files?.[0];
          if (file !== undefined) onFile(file);
          // The same file can be chosen again.
          input.value = '';
        }}
      />
      <label class="button" for={id}>
        {children}
      </label>
    </span>
  );
}
