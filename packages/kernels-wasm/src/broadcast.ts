// Tensors that broadcast to larger ones.

/** Where each value of a tensor that a smaller one broadcasts to comes from. */
export function placesOf(shape: readonly number[], to: readonly number[]): Int32Array {
  const steps = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! > 1) steps[to.length - shape.length + axis] = step;
    step *= shape[axis]!;
  }
  let places = Int32Array.of(0);
  for (const [axis, length] of to.entries()) {
    const longer = new Int32Array(places.length * length);
    for (let i = 0; i < longer.length; i++) {
      longer[i] = places[Math.floor(i / length)]! + (i % length) * steps[axis]!;
    }
    places = longer;
  }
  return places;
}
