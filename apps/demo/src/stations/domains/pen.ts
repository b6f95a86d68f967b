// Ink on a canvas: page side.

/** Pixels of a side of the pad. */
export const PAD = 280;
/** A pen as wide as MNIST's strokes are beside its digits. */
const WIDTH = 22;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Makes the pad black. */
export function wipe(context: CanvasRenderingContext2D): void {
  context.fillStyle = '#000';
  context.fillRect(0, 0, PAD, PAD);
}

/** Draws from one point to the next; a dot where they are the same. */
export function stroke(context: CanvasRenderingContext2D, from: Point, to: Point): void {
  context.strokeStyle = '#fff';
  context.lineWidth = WIDTH;
  context.lineCap = 'round';
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}

/** The gray values of the pad, PAD x PAD. */
export function inkOf(context: CanvasRenderingContext2D): Uint8Array {
  const { data } = context.getImageData(0, 0, PAD, PAD);
  const gray = new Uint8Array(PAD * PAD);
  for (let at = 0; at < gray.length; at++) gray[at] = data[4 * at] as number;
  return gray;
}
