// jsfive has no types of its own; tests use this much of it.

declare module 'jsfive' {
  export class File {
    constructor(buffer: ArrayBuffer, name: string);
    get(path: string): {
      readonly value: (number | string)[];
      readonly shape: number[];
      readonly dtype: unknown;
    };
  }
}
