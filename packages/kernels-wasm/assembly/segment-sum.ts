// Sums of rows by their segments. The rows are put in the order of their segments first, so that one row of float64 sums
// is enough, however many segments there are, and no sum loses digits, however many rows a segment has.
import { addTo64, f32At, f64At } from './numbers';

/**
 * x: [rows, width], ids: int32 [rows], out: [segments, width]. A row whose id is no segment is in no sum.
 * order: int32 [rows]; ends: int32 [segments + 1]; sums: `width` float64.
 */
export function segmentSum(
  x: usize, ids: usize, out: usize, order: usize, ends: usize, sums: usize, rows: i32, width: i32, segments: i32,
): void {
  sort(ids, order, ends, rows, segments);
  let from = 0;
  for (let segment = 0; segment < segments; segment++, out = f32At(out, width)) {
    const end = load<i32>(f32At(ends, segment));
    memory.fill(sums, 0, (<usize>width) << 3);
    for (; from < end; from++) add(f32At(x, load<i32>(f32At(order, from)) * width), sums, width);
    for (let i = 0; i < width; i++) store<f32>(f32At(out, i), <f32>load<f64>(f64At(sums, i)));
  }
}

/** Writes the rows in the order of their segments, and where in it those of each segment end. */
function sort(ids: usize, order: usize, ends: usize, rows: i32, segments: i32): void {
  memory.fill(ends, 0, (<usize>(segments + 1)) << 2);
  for (let row = 0; row < rows; row++) {
    const id = load<i32>(f32At(ids, row));
    if (<u32>id >= <u32>segments) continue;
    const count = f32At(ends, id + 1);
    store<i32>(count, load<i32>(count) + 1);
  }
  for (let segment = 1; segment <= segments; segment++) {
    const start = f32At(ends, segment);
    store<i32>(start, load<i32>(start) + load<i32>(f32At(ends, segment - 1)));
  }
  // What has been the start of each segment becomes its end.
  for (let row = 0; row < rows; row++) {
    const id = load<i32>(f32At(ids, row));
    if (<u32>id >= <u32>segments) continue;
    const place = f32At(ends, id);
    store<i32>(f32At(order, load<i32>(place)), row);
    store<i32>(place, load<i32>(place) + 1);
  }
}

function add(row: usize, sums: usize, width: i32): void {
  let i = 0;
  for (; i + 4 <= width; i += 4) addTo64(f64At(sums, i), v128.load(f32At(row, i)));
  for (; i < width; i++) {
    const sum = f64At(sums, i);
    store<f64>(sum, load<f64>(sum) + <f64>load<f32>(f32At(row, i)));
  }
}
