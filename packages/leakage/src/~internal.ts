// What sibling packages use of this one, and users don't: it may change in any release.
export { releaseTape } from './tape.ts';
