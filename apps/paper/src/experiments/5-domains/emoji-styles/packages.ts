// Where the pictures come from: the same symbols, drawn by two vendors.

import type { PinnedPackage } from '@rebatch/npm-files';

/** The pictures: Noto Emoji by Google (Apache License 2.0), and Twemoji by Twitter (CC-BY 4.0). */
export const STYLES = ['google', 'twitter'] as const;

export type Style = (typeof STYLES)[number];

/** One version of all, so that one list of symbols fits both. */
export const PACKAGES: Readonly<Record<Style, PinnedPackage>> = {
  google: {
    spec: 'emoji-datasource-google@16.0.0',
    integrity:
      'sha512-ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==',
    bytes: 74_344_091,
  },
  twitter: {
    spec: 'emoji-datasource-twitter@16.0.0',
    integrity:
      'sha512-7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ==',
    bytes: 61_683_754,
  },
};

/** What each of them says about the symbols. */
export const SYMBOLS_FILE = 'emoji.json';

/** The sheet of 64 px pictures; `clean`: without other vendors' pictures where this one has none. */
export function sheetFile(style: Style): string {
  return `img/${style}/sheets-clean/64.png`;
}
