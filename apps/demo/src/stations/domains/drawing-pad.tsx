import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { centerDigit } from './center-digit.ts';
import { inkOf, PAD, type Point, stroke, wipe } from './pen.ts';

export interface DrawingPadProps {
  /** Called when what is drawn has changed, with the digit as MNIST would have it; undefined for an empty pad. */
  readonly onDigit: (digit: Uint8Array | undefined) => void;
  /** The pad is wiped when this changes. */
  readonly wiped: number;
}

const STEP = 14;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Draws by pointer, and by keyboard: arrows move a pen that the space bar puts down and lifts. */
export function DrawingPad({ onDigit, wiped }: DrawingPadProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Point | undefined>(undefined);
  const frame = useRef(0);
  const pen = useSignal({ x: PAD / 2, y: PAD / 2, down: false });
  const drawn = useSignal(false);
  const hint = useId();
  const context = () =>
    canvas.current?.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;

  /** At most once for each frame that is shown. */
  const tell = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => onDigit(centerDigit(inkOf(context()), PAD, PAD)));
  };
  const draw = (from: Point, to: Point) => {
    stroke(context(), from, to);
    drawn.value = true;
    tell();
  };
  const clear = () => {
    wipe(context());
    drawn.value = false;
    tell();
  };
  useEffect(() => {
    clear();
    pen.value = { x: PAD / 2, y: PAD / 2, down: false };
    return () => cancelAnimationFrame(frame.current);
  }, [wiped]);

  const at = (event: PointerEvent): Point => {
    const { left, top, width } = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
    return { x: ((event.clientX - left) * PAD) / width, y: ((event.clientY - top) * PAD) / width };
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    canvas.current?.setPointerCapture(event.pointerId);
    last.current = at(event);
    draw(last.current, last.current);
  };
  const onPointerMove = (event: PointerEvent) => {
    if (last.current === undefined) return;
    const finer = event.getCoalescedEvents?.() ?? [];
    for (const one of finer.length > 0 ? finer : [event]) {
      const to = at(one);
      draw(last.current, to);
      last.current = to;
    }
  };
  const onPointerUp = () => {
    last.current = undefined;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key];
    const { x, y, down } = pen.value;
    if (arrow !== undefined) {
      const to = { x: within(x + STEP * arrow[0]), y: within(y + STEP * arrow[1]) };
      if (down) draw({ x, y }, to);
      pen.value = { ...to, down };
    } else if (event.key === ' ') {
      if (!down) draw({ x, y }, { x, y });
      pen.value = { x, y, down: !down };
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      clear();
    } else return;
    event.preventDefault();
  };

  return (
    <div class="pad-box">
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: it is drawn on by keyboard, too */}
      <div
        class="pad"
        tabIndex={0}
        role="application"
        aria-roledescription="drawing pad"
        aria-label="Draw a digit here"
        aria-describedby={hint}
        onKeyDown={onKeyDown}
      >
        {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: see above */}
        <canvas
          ref={canvas}
          width={PAD}
          height={PAD}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={onPointerUp}
        />
        {!drawn.value && (
          <span class="pad-empty" aria-hidden="true">
            Draw a digit here
          </span>
        )}
        <span
          class="pad-pen"
          data-down={pen.value.down}
          style={{ '--x': `${(100 * pen.value.x) / PAD}%`, '--y': `${(100 * pen.value.y) / PAD}%` }}
        />
      </div>
      <p class="field-hint" id={hint}>
        Draw one digit with a finger, pen or mouse. With the keyboard: the arrow keys move the pen, space
        lowers or lifts it, delete wipes the pad.
      </p>
      <span class="visually-hidden" aria-live="polite">
        {pen.value.down ? 'The pen is down.' : 'The pen is up.'}
      </span>
    </div>
  );
}

function within(position: number): number {
  return Math.min(PAD - STEP, Math.max(STEP, position));
}
