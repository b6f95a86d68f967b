#!/usr/bin/env node
import { register } from 'tsx/esm/api';

register();
// Whoever reads may have seen enough: `... --list | head`.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
await import('../src/main.ts');
