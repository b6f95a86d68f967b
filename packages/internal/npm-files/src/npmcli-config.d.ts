// Left out of @types/npmcli__config: what npm itself gives to Config. A CommonJS module.
declare module '@npmcli/config/lib/definitions/index.js' {
  import type Config from '@npmcli/config';

  type Options = ConstructorParameters<typeof Config>[0];
  const npm: Required<Pick<Options, 'definitions' | 'shorthands' | 'flatten'>>;
  export default npm;
}
