// The committed results of apps/paper are measured on these digits, so a corruption made faster must stay the same to the
// byte. Whoever changes one on purpose runs the experiments anew.
import { createHash } from 'node:crypto';
import { corrupt, digitCorruptions as corruptions, severities } from '@rebatch/images';
import { expect, test } from 'vitest';
import { firstDigits, loadDigits } from './mnist.ts';

/** The first digits of SHA-256 of 40 corrupted digits, per severity. */
const BYTES: Readonly<Record<string, string>> = {
  'gaussian-noise': '32052fc090d4 bd0f7b50d40c a2572798d04f 1876732ef7f5 1d625f53eadf',
  'shot-noise': 'bbfae66d9d27 6ce73d8abbc1 d0a0f4d57333 b9438aef61d2 bac846198750',
  'impulse-noise': '419243dee6ca 432f826063b8 14f660a301ab 1dbae6eac033 725115702930',
  'defocus-blur': 'ee6356e9c0e0 afd25cd27ac3 c21518ccea76 b92f4f3bd94f d9c288a742e5',
  'glass-blur': 'fe74c1b545e8 fdd0d286f8b0 eda38be1676e 038c402d6f12 3ff2b4b8bec5',
  'motion-blur': '48c1464440d2 21e5a64d4d9e 99346b431f80 4992cdf8f452 e8db33070c39',
  fog: '609f192893d7 3e61c7c525ba 889e7f138ed9 8638af7c7664 1b7e384926b3',
  brightness: 'a452757f2ca5 c47bd7ddf90c 11f3c4a6ee2e 048e8930ffc6 4e0a36cc9145',
  contrast: 'f1272505429e cc85b1a8c03d a2ed0d54d860 92582115cf76 59407e9eb495',
  pixelate: 'cb02b6d277b8 36f3e0f227ec 40fd6e11ee1f 47f554fa3d8a cb0e92d2b98f',
  jpeg: '80a0c16dfe79 a8462dcfebe0 1cbaac7bec10 f93e33994f69 7919040aeaf5',
  stripe: '67ad7585bb22 095efb3feee1 1ecd945f7faf f8d4a5b2ea74 aaf75187d266',
};

const digits = firstDigits(await loadDigits('t10k'), 40);

test.each(corruptions.map((one) => [one.name, one] as const))(
  '%s gives the bytes that it gave',
  (name, corruption) => {
    const hashes = severities.map((severity) =>
      createHash('sha256')
        .update(corrupt(digits, corruption, severity, 7).images)
        .digest('hex')
        .slice(0, 12),
    );
    expect(hashes.join(' ')).toBe(BYTES[name]);
  },
);
