import { linkTo } from '../../app/route.ts';
import type { FindingEntry } from '../../data/findings.ts';
import { holding, SECTIONS, titleOf } from './words.ts';

export interface FindingsNavProps {
  readonly findings: readonly FindingEntry[];
  /** The name of the one that is shown; '' for the overview. */
  readonly current: string;
}

/** The way from finding to finding; folded up where it would be in the way. */
export function FindingsNav({ findings, current }: FindingsNavProps) {
  const open = current === '' || matchMedia('(min-width: 56rem)').matches;
  const mark = (name: string) => (name === current ? 'page' : undefined);
  return (
    <details class="findings-nav" open={open} key={current}>
      <summary>All findings</summary>
      <nav aria-label="Findings">
        <a href={linkTo('paper')} aria-current={mark('')}>
          Overview
        </a>
        {findings.length === 0 && <div class="findings-wait" aria-hidden="true" />}
        {Object.entries(findings.length === 0 ? {} : SECTIONS).map(([section, title]) => (
          <section key={section} aria-label={`Section ${section}`}>
            <h3>
              {section} {title}
            </h3>
            <ul>
              {findings
                .filter((one) => one.section === section)
                .map((one) => (
                  <li key={one.name}>
                    <a href={linkTo('paper', one.name)} aria-current={mark(one.name)}>
                      <span>{titleOf(one)}</span>
                      <small>
                        {holding(one)}/{one.claims.length}
                      </small>
                    </a>
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </nav>
    </details>
  );
}
