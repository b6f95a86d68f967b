// The three spellings of a name, and which names are no good.

/** Spellings of one name: `trimmed-mean`, `trimmedMean`, `TrimmedMean`. */
export interface Names {
  readonly kebab: string;
  readonly camel: string;
  readonly pascal: string;
}

/**
 * The spellings of `kebab`, or an Error that says what is wrong with it.
 *
 * @param skeletons the texts that the name will be put into: it must not shadow anything in them.
 * @param endings of further names in them, such as `FromJSON`.
 */
export function namesOf(kebab: string, skeletons: readonly string[], endings: readonly string[]): Names {
  if (!/^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/.test(kebab)) {
    throw new Error(
      `"${kebab}" cannot be a name: expected lower-case words joined by hyphens, such as trimmed-mean.`,
    );
  }
  const camel = kebab.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const pascal = camel.charAt(0).toUpperCase() + camel.slice(1);
  const words = new Set(skeletons.flatMap((text) => text.match(/[A-Za-z]\w*/g) ?? []));
  for (const name of [camel, pascal, ...endings.flatMap((ending) => [camel + ending, pascal + ending])]) {
    if (name in globalThis || words.has(name) || isReserved(name)) {
      throw new Error(
        `"${kebab}" cannot be a name: ${name} already means something in the code. Choose another.`,
      );
    }
  }
  return { kebab, camel, pascal };
}

function isReserved(name: string): boolean {
  try {
    new Function(`'use strict'; async () => { let ${name}; }`);
    return false;
  } catch {
    return true;
  }
}
