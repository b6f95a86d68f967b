import type { ComponentChildren } from 'preact';

export interface NoticeProps {
  readonly kind: 'bad' | 'warn' | 'good' | 'plain';
  readonly children: ComponentChildren;
}

/** Something that happened; screen readers say it at once when it is bad. */
export function Notice({ kind, children }: NoticeProps) {
  return (
    <div class={`notice notice-${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}
