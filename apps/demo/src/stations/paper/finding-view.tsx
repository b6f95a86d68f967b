import type { Finding } from '@rebatch/findings';
import { linkTo } from '../../app/route.ts';
import type { FindingEntry } from '../../data/findings.ts';
import { Panel } from '../../ui/panel.tsx';
import { ClaimsView } from './claims-view.tsx';
import { FigureView } from './figure-view.tsx';
import { pretty, sentence, titleOf } from './words.ts';

export interface FindingViewProps {
  readonly entry: FindingEntry;
  /** Undefined while it loads. */
  readonly finding: Finding | undefined;
  readonly before: FindingEntry | undefined;
  readonly after: FindingEntry | undefined;
}

/** What came out of an experiment, as curves. */
export function FindingFigures({ finding }: Pick<FindingViewProps, 'finding'>) {
  if (finding === undefined) return <div class="chart-wait" aria-hidden="true" />;
  return (
    <>
      {finding.figures.map((figure, i) => (
        <FigureView key={figure.title ?? i} figure={figure} />
      ))}
    </>
  );
}

/** One experiment: what the paper found, what came out here, and how it was measured. */
export function FindingView({ entry, finding, before, after }: FindingViewProps) {
  return (
    <>
      <Panel title="What the paper found, and what came out here">
        <dl class="facts">
          <dt>The paper</dt>
          <dd>
            {pretty(entry.finding)} (Sec. {entry.section})
          </dd>
          <dt>Here</dt>
          <dd>
            {finding === undefined
              ? '–'
              : `${sentence(finding.summary)}; mean and spread (one standard deviation) of ${finding.seeds.length} seeds.`}
          </dd>
        </dl>
      </Panel>
      <Panel title="What holds, and what does not">
        <ClaimsView claims={entry.claims} />
      </Panel>
      {finding !== undefined && <Numbers finding={finding} />}
      <nav class="before-after" aria-label="Other findings">
        {before === undefined ? (
          <a href={linkTo('paper')}>← Overview</a>
        ) : (
          <a href={linkTo('paper', before.name)}>← {titleOf(before)}</a>
        )}
        {after !== undefined && <a href={linkTo('paper', after.name)}>{titleOf(after)} →</a>}
      </nav>
    </>
  );
}

function Numbers({ finding }: { readonly finding: Finding }) {
  const { table, settings, seeds, backend, seconds } = finding;
  return (
    <Panel title="The numbers">
      <details>
        <summary>Every number of the charts</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <section class="tables" tabIndex={0} aria-label="Every number of the charts">
          <table>
            <thead>
              <tr>
                {table.head.map((cell) => (
                  <th scope="col" key={cell}>
                    {pretty(cell)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.body.map((row) => (
                <tr key={row.join()}>
                  {row.map((cell, i) =>
                    i === 0 ? (
                      <th scope="row" key={table.head[i]}>
                        {cell}
                      </th>
                    ) : (
                      <td key={table.head[i]}>{cell}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
      <details>
        <summary>Settings</summary>
        <dl class="facts settings">
          <dt>backend</dt>
          <dd>{backend}</dd>
          <dt>time</dt>
          <dd>{Math.round(seconds).toLocaleString('en')} s for all seeds</dd>
          <dt>seeds</dt>
          <dd>{seeds.join(', ')}</dd>
          {Object.entries(settings)
            .filter(([name]) => name !== 'seeds' && name !== 'quick')
            .map(([name, value]) => (
              <>
                <dt>{name}</dt>
                <dd>
                  <code>{JSON.stringify(value)}</code>
                </dd>
              </>
            ))}
        </dl>
      </details>
    </Panel>
  );
}
