export interface ConclusionProps {
  /** One sentence or two, from the numbers on this screen; undefined while there are none. */
  readonly text: string | undefined;
  /** What will bring it about. */
  readonly waiting: string;
  /** What screen readers call it, where it is not the one of the chapter. */
  readonly label?: string;
  /** Whether numbers are still coming: then it changes too often to be read out. */
  readonly active?: boolean;
}

/** What a chapter comes to on this visitor's screen. */
export function Conclusion({ text, waiting, label = 'What you just saw', active = false }: ConclusionProps) {
  return (
    <section class="conclusion" aria-label={label} data-known={text !== undefined}>
      <p aria-live={active ? 'off' : 'polite'}>{text ?? waiting}</p>
    </section>
  );
}
