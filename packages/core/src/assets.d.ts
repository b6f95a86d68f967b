// Vite's way to ask for a file's address; used by browser tests.
declare module '*.wasm?url' {
  const url: string;
  export default url;
}
