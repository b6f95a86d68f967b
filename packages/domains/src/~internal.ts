// What sibling packages use of this one, and users don't: it may change in any release.
export { PRIOR } from './adapt.ts';
export { momentsOfReference } from './reference/read-reference.ts';
