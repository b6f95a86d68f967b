/**
 * The checksum of HDF5's newer headers: Jenkins's lookup3, `hashlittle` from 0 (HDF5 File Format Specification, VIII;
 * http://burtleburtle.net/bob/c/lookup3.c).
 */
export function lookup3(bytes: Uint8Array): number {
  const start = (0xdeadbeef + bytes.length) | 0;
  const state: State = { a: start, b: start, c: start };
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    add(state, bytes, at);
    mix(state);
  }
  if (at < bytes.length) {
    add(state, bytes, at);
    finish(state);
  }
  return state.c >>> 0;
}

interface State {
  a: number;
  b: number;
  c: number;
}

const rotated = (value: number, by: number) => (value << by) | (value >>> (32 - by));

/** The next 12 bytes as three numbers; what is beyond the end counts as zeros. */
function add(state: State, bytes: Uint8Array, at: number): void {
  const word = (from: number) =>
    (bytes[from] ?? 0) |
    ((bytes[from + 1] ?? 0) << 8) |
    ((bytes[from + 2] ?? 0) << 16) |
    ((bytes[from + 3] ?? 0) << 24);
  state.a = (state.a + word(at)) | 0;
  state.b = (state.b + word(at + 4)) | 0;
  state.c = (state.c + word(at + 8)) | 0;
}

function mix(state: State): void {
  let { a, b, c } = state;
  for (const [first, second, third] of [
    [4, 6, 8],
    [16, 19, 4],
  ] as const) {
    a = (a - c) ^ rotated(c, first);
    c = (c + b) | 0;
    b = (b - a) ^ rotated(a, second);
    a = (a + c) | 0;
    c = (c - b) ^ rotated(b, third);
    b = (b + a) | 0;
  }
  Object.assign(state, { a, b, c });
}

function finish(state: State): void {
  let { a, b, c } = state;
  c = ((c ^ b) - rotated(b, 14)) | 0;
  a = ((a ^ c) - rotated(c, 11)) | 0;
  b = ((b ^ a) - rotated(a, 25)) | 0;
  c = ((c ^ b) - rotated(b, 16)) | 0;
  a = ((a ^ c) - rotated(c, 4)) | 0;
  b = ((b ^ a) - rotated(a, 14)) | 0;
  c = ((c ^ b) - rotated(b, 24)) | 0;
  Object.assign(state, { a, b, c });
}
