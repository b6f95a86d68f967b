import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick: () => void;
  readonly kind?: 'primary' | 'plain' | 'quiet';
  readonly small?: boolean;
  readonly disabled?: boolean;
  /** For buttons whose text alone does not say it. */
  readonly label?: string;
  /** For buttons that stay down. */
  readonly pressed?: boolean;
}

export function Button({ children, onClick, kind = 'plain', small, disabled, label, pressed }: ButtonProps) {
  const classes = ['button', kind !== 'plain' && `button-${kind}`, small && 'button-small'];
  return (
    <button
      type="button"
      class={classes.filter(Boolean).join(' ')}
      disabled={disabled}
      aria-label={label}
      aria-pressed={pressed}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
