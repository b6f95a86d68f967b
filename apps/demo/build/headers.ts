// What the page is served with. Static hosts that cannot set headers get the policy from a meta tag in the page, and run
// without threads.

/** Nothing but the page's own files; WASM may be compiled, no other text may become code. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Shared memory, which replicas on several threads need, exists in isolated pages only. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * With every answer of `pnpm demo`. A policy in the page cannot say who may show the page in a frame: nobody may, since
 * a page around it could have its visitors press what they do not see.
 */
export const SERVED_HEADERS = {
  ...ISOLATION,
  'Content-Security-Policy': `${CONTENT_SECURITY_POLICY}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};
