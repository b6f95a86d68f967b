/** How to measure again: in a clone of the repository. */
export const codeFor = (name: string) => ({
  install: 'npx -y pnpm@10 install',
  text: `pnpm paper ${name} --quick   # a smaller run of the same code, in about a minute
pnpm paper ${name}           # with all seeds; prints the table and the claims, writes results/
pnpm paper --all --report   # all experiments on all cores, and RESULTS.md`,
});
