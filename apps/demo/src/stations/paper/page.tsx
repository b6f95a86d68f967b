import './style.css';
import { linkTo, place } from '../../app/route.ts';
import { loadFinding, loadFindings } from '../../data/findings.ts';
import { Button } from '../../ui/button.tsx';
import { Conclusion } from '../../ui/conclusion.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { codeFor } from './code.ts';
import { conclusionOf, overallOf } from './conclusion.ts';
import { FindingFigures, FindingView } from './finding-view.tsx';
import { FindingsNav } from './findings-nav.tsx';
import { Overview, Totals } from './overview.tsx';
import { useLoaded } from './use-loaded.ts';
import { titleOf } from './words.ts';

export default function PaperPage() {
  const name = place.value;
  const all = useLoaded('all', loadFindings);
  const one = useLoaded(name, async () => (name === '' ? undefined : loadFinding(name)));
  const findings = all.value.value;
  const at = findings?.findIndex((finding) => finding.name === name) ?? -1;
  const entry = findings?.[at];
  const missing = findings !== undefined && name !== '' && entry === undefined;
  const finding = one.value.value?.name === name ? one.value.value : undefined;
  const failed =
    all.error.value !== undefined ? all : one.error.value !== undefined && !missing ? one : undefined;
  // Its charts are as high as they are: what stands below them would be moved when they come.
  const coming = entry !== undefined && finding === undefined && failed === undefined;
  return (
    <StationFrame
      lead={
        <>
          The findings of <a href="https://arxiv.org/abs/2105.07576">Rethinking “Batch” in BatchNorm</a> (Wu &
          Johnson, 2021), measured again with these packages: each with its curve, the claims that it makes,
          and whether they hold here.
        </>
      }
      stage={
        <Panel title={entry === undefined ? 'In short' : titleOf(entry)}>
          {entry === undefined ? <Totals findings={findings} /> : <FindingFigures finding={finding} />}
          {!coming && (
            <Conclusion text={conclusionOf(entry) ?? overallOf(findings)} waiting="Loading the findings…" />
          )}
        </Panel>
      }
      controlsTitle="Findings"
      controls={<FindingsNav findings={findings ?? []} current={name} />}
      {...(entry === undefined ? {} : { code: codeFor(entry.name) })}
    >
      {failed !== undefined && (
        <Notice kind="bad">
          <span>{failed.error.value}</span>
          <Button small onClick={() => failed.retry()}>
            Try again
          </Button>
        </Notice>
      )}
      {missing && (
        <Notice kind="warn">
          <span>
            There is no finding ‘{name}’. <a href={linkTo('paper')}>To the overview</a>
          </span>
        </Notice>
      )}
      {entry === undefined && <Overview findings={findings} />}
      {entry !== undefined && !coming && (
        <FindingView
          key={entry.name}
          entry={entry}
          finding={finding}
          before={findings?.[at - 1]}
          after={findings?.[at + 1]}
        />
      )}
    </StationFrame>
  );
}
