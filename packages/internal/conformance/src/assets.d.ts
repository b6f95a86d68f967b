// Vite's ways to ask for a file's address and for the environment; used by browser tests.
declare module '*.wasm?url' {
  const url: string;
  export default url;
}

interface ImportMeta {
  readonly env: { readonly CI?: string };
}
