import { useEffect, useRef } from 'preact/hooks';

export interface DigitProps {
  /** 28 x 28 gray values, 0 to 255. */
  readonly pixels: Uint8Array;
  /** For people who do not see it. */
  readonly label: string;
  /** In CSS pixels. */
  readonly size?: number;
}

export function Digit({ pixels, label, size = 56 }: DigitProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(28, 28);
    for (let i = 0; i < 784; i++) {
      image.data.fill(pixels[i] ?? 0, 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [pixels]);
  return (
    <canvas
      class="digit"
      ref={canvas}
      width={28}
      height={28}
      role="img"
      aria-label={label}
      style={{ width: `${size}px`, height: `${size}px` }}
    />
  );
}
