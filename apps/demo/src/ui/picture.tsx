import { useEffect, useRef } from 'preact/hooks';

export interface PictureProps {
  /** RGBA, height x width. */
  readonly pixels: Uint8ClampedArray;
  readonly height: number;
  readonly width: number;
  /** For people who do not see it. */
  readonly label: string;
}

/** Pixels from the worker as a small image. */
export function Picture({ pixels, height, width, label }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    context?.putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
  }, [pixels]);
  return (
    <canvas
      class="picture"
      ref={canvas}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      title={label}
    />
  );
}
