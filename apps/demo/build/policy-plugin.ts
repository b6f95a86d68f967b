import type { Plugin } from 'vite';
import { CONTENT_SECURITY_POLICY } from './headers.ts';

/** Writes the content security policy into the built page. While developing, Vite's own scripts would break it. */
export function policyPlugin(): Plugin {
  return {
    name: 'rebatch-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}
