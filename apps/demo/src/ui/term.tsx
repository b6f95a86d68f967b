import { useId, useRef } from 'preact/hooks';
import { TERMS, type TermName } from './terms.ts';

/** Pixels between a word and its definition, and between that and the edge of the window. */
const GAP = 8;

/** A word with its definition: a button that opens it, and that screen readers read together with it. */
export function Term({ of, children }: { readonly of: TermName; readonly children?: string }) {
  const id = useId();
  const word = useRef<HTMLButtonElement>(null);
  const definition = useRef<HTMLSpanElement>(null);
  return (
    <>
      <button type="button" class="term" ref={word} popovertarget={id} aria-describedby={id}>
        {children ?? of}
      </button>
      <span
        class="definition"
        ref={definition}
        id={id}
        popover="auto"
        onToggle={() => {
          if (word.current && definition.current) place(definition.current, word.current);
        }}
      >
        <dfn>{of}</dfn>: {TERMS[of]}
      </span>
    </>
  );
}

/** Below the word, or above it where there is more room, and never beyond the window. */
function place(definition: HTMLElement, word: HTMLElement): void {
  const at = word.getBoundingClientRect();
  const { width, height } = definition.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - width - GAP);
  const below = at.bottom + GAP;
  const top = below + height + GAP > innerHeight ? at.top - height - GAP : below;
  definition.style.left = `${Math.max(GAP, left)}px`;
  definition.style.top = `${Math.max(GAP, top)}px`;
}
