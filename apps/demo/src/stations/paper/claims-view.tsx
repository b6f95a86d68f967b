import type { Finding } from '@rebatch/findings';

import { pretty } from './words.ts';

type Claim = Finding['claims'][number];

/** Claims with their verdicts: a mark and words, not colour alone. */
export function ClaimsView({ claims }: { readonly claims: readonly Claim[] }) {
  return (
    <ul class="plain-list">
      {claims.map(({ claim, measured, holds, why }) => (
        <li class="claim" data-holds={holds} key={claim}>
          <span class="claim-verdict">
            <Mark holds={holds} /> {holds ? 'Holds' : 'Does not hold here'}
          </span>
          <p>{pretty(claim)}</p>
          <dl class="facts">
            <dt>Measured</dt>
            <dd>{pretty(measured)}</dd>
            {why !== undefined && (
              <>
                <dt>Why</dt>
                <dd>{pretty(why)}</dd>
              </>
            )}
          </dl>
        </li>
      ))}
    </ul>
  );
}

/** A mark per claim, in their order. */
export function Marks({ claims }: { readonly claims: readonly Claim[] }) {
  const count = claims.filter(({ holds }) => holds).length;
  return (
    <span class="marks" role="img" aria-label={`${count} of ${claims.length} claims hold`}>
      {claims.map(({ claim, holds }) => (
        <Mark holds={holds} key={claim} />
      ))}
    </span>
  );
}

function Mark({ holds }: { readonly holds: boolean }) {
  return (
    <span class="mark" data-holds={holds} aria-hidden="true">
      {holds ? '✓' : '✗'}
    </span>
  );
}
