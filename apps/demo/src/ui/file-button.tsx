import { useId } from 'preact/hooks';

export interface FileButtonProps {
  readonly children: string;
  /** What the dialog offers, such as `.safetensors`. */
  readonly accept?: string;
  /** Several files at once. */
  readonly multiple?: boolean;
  /** A folder, with all that is in it. */
  readonly folder?: boolean;
  /** Never called with nothing. */
  readonly onFiles: (files: readonly File[]) => void;
  readonly disabled?: boolean;
}

/** A button that asks for files. */
export function FileButton({ children, accept, multiple, folder, onFiles, disabled }: FileButtonProps) {
  const id = useId();
  return (
    <span class="file-button">
      <input
        id={id}
        type="file"
        accept={accept}
        multiple={multiple}
        // @ts-expect-error: known to every browser, and not to the types
        webkitdirectory={folder}
        disabled={disabled}
        onChange={(event) => {
          const input = event.currentTarget;
          const files = [...(input.files ?? [])];
          if (files.length > 0) onFiles(files);
          // The same files can be chosen again.
          input.value = '';
        }}
      />
      <label class="button" for={id}>
        {children}
      </label>
    </span>
  );
}
