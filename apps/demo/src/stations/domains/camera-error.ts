/** Why there is no picture, and what can be done, for whoever asked for the camera. */
export function explainCameraError(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'The browser does not let this page see the camera. Allow it in the settings beside the address, then try again. Everything else here works without it.';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'No camera was found on this machine. Draw a digit instead.';
    case 'NotReadableError':
    case 'AbortError':
      return 'The camera does not answer. Another program may be using it: close that, then try again.';
    case 'NotSupportedError':
      return 'Browsers only give secure pages the camera: those that come over https, or from this very machine (localhost).';
    default:
      return `The camera did not start${error instanceof Error && error.message ? `: ${error.message}` : '.'}`;
  }
}
