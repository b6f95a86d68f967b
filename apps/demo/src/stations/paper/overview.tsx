import { linkTo } from '../../app/route.ts';
import type { FindingEntry } from '../../data/findings.ts';
import { Panel } from '../../ui/panel.tsx';
import { Stat, Stats } from '../../ui/stat.tsx';
import { Marks } from './claims-view.tsx';
import { holding, pretty, SECTIONS, titleOf } from './words.ts';

/** How many claims hold, and what it took to find out. */
export function Totals({ findings }: { readonly findings: readonly FindingEntry[] | undefined }) {
  const claims = findings?.flatMap((finding) => finding.claims);
  const hold = claims?.filter(({ holds }) => holds).length;
  const hours =
    findings === undefined ? undefined : findings.reduce((sum, one) => sum + one.seconds, 0) / 3600;
  return (
    <Stats>
      <Stat
        name="Claims that hold here"
        color="good"
        value={hold?.toString()}
        {...(claims === undefined ? {} : { detail: `of ${claims.length}` })}
      />
      <Stat
        name="That do not"
        color="bad"
        value={claims === undefined || hold === undefined ? undefined : String(claims.length - hold)}
      />
      <Stat name="Findings" value={findings?.length.toString()} />
      <Stat name="Computed in" value={hours?.toFixed(1)} detail="hours" />
    </Stats>
  );
}

/** All findings: which claims hold, and which do not. */
export function Overview({ findings }: { readonly findings: readonly FindingEntry[] | undefined }) {
  return (
    <>
      <Panel title="How it was measured">
        <p>
          The paper measured on ImageNet and COCO; these are small networks on digits, photographs and emojis,
          on one machine, so they test the findings, not the numbers. Each claim is written down as code with
          a threshold, and that code decides from the measured numbers. A claim that does not hold here stays
          on the list, with the reason.
        </p>
      </Panel>
      {findings === undefined && (
        <Panel title="Finding by finding">
          <p class="chart-wait" role="status">
            Loading the findings…
          </p>
        </Panel>
      )}
      {Object.entries(findings === undefined ? {} : SECTIONS).map(([section, title]) => (
        <Panel title={`Section ${section}: ${title}`} key={section}>
          <ul class="plain-list findings">
            {(findings ?? [])
              .filter((one) => one.section === section)
              .map((one) => (
                <li key={one.name}>
                  <div class="finding-head">
                    <h3>
                      <a href={linkTo('paper', one.name)}>{titleOf(one)}</a>
                    </h3>
                    <span class="finding-count">
                      <Marks claims={one.claims} /> {holding(one)} of {one.claims.length}
                    </span>
                  </div>
                  <p>{pretty(one.finding)}</p>
                </li>
              ))}
          </ul>
        </Panel>
      ))}
    </>
  );
}
