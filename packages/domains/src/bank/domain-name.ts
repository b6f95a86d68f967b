// What can be the name of a domain.

/** Whether a value is a non-empty string that UTF-8 can hold: one without half a surrogate pair. */
export function isDomainName(name: unknown): name is string {
  if (typeof name !== 'string' || name === '') return false;
  try {
    encodeURIComponent(name);
    return true;
  } catch {
    return false;
  }
}
