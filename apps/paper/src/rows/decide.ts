import type { Claim } from '@rebatch/findings';

/** A claim with its verdict; `otherwise` says why, where it does not hold. */
export function decide(claim: string, measured: string, holds: boolean, otherwise: string): Claim {
  return holds ? { claim, measured, holds } : { claim, measured, holds, why: otherwise };
}
