/** The slope of a loss for each of the values that it depends on, by going a little up and down. */
export function slopesOf(loss: () => number, values: Float64Array): Float64Array {
  return values.map((value, i) => {
    const h = 1e-6;
    values[i] = value + h;
    const above = loss();
    values[i] = value - h;
    const below = loss();
    values[i] = value;
    return (above - below) / (2 * h);
  });
}
