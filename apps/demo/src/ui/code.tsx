import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { Button } from './button.tsx';

/** Lines of code to take away; `what` they are, such as 'the command', for who does not see them beside their button. */
export function Code({ text, what }: { readonly text: string; readonly what: string }) {
  const copied = useSignal(false);
  const lines = useRef<HTMLPreElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Not on a secure page, or not allowed: ready to be copied by hand.
      getSelection()?.selectAllChildren(lines.current as HTMLPreElement);
      return;
    }
    copied.value = true;
    setTimeout(() => {
      copied.value = false;
    }, 2000);
  };
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} ref={lines}>
        <code>{text}</code>
      </pre>
      <Button small label={copied.value ? `Copied ${what}` : `Copy ${what}`} onClick={() => void copy()}>
        {copied.value ? 'Copied' : 'Copy'}
      </Button>
      <span class="visually-hidden" aria-live="polite">
        {copied.value ? 'The code is on the clipboard.' : ''}
      </span>
    </div>
  );
}
