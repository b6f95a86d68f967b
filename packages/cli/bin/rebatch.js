#!/usr/bin/env node
// The command in this repository, from its sources. What is published is dist/bin.js.
import { register } from 'tsx/esm/api';

register();
await import('../src/bin.ts');
