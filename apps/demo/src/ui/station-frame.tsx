import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { linkTo } from '../app/route.ts';
import { type Snippet, type Station, useStation } from '../stations/station.ts';
import { Code } from './code.tsx';
import { Panel } from './panel.tsx';

export interface StationFrameProps {
  /** What is going on here, in two or three sentences. */
  readonly lead: ComponentChildren;
  /** The buttons that do the one thing to do; beside the request to do it. */
  readonly actions?: ComponentChildren;
  /** What comes first, above the controls. */
  readonly top?: ComponentChildren;
  /** What the chapter is about: in sight as the page opens, beside the controls, or above them on a phone. */
  readonly stage?: ComponentChildren;
  readonly controls: ComponentChildren;
  /** What stands above the controls; default 'Controls'. */
  readonly controlsTitle?: string;
  readonly children?: ComponentChildren;
  /** The code to take away; default the station's own. */
  readonly code?: Snippet;
}

/** What all stations look like: a question, one thing to do, what happens beside the controls, and the code to take away. */
export function StationFrame(props: StationFrameProps) {
  const station = useStation();
  const { lead, actions, top, stage, controls, controlsTitle = 'Controls', children } = props;
  const { code = station.code } = props;
  const painted = usePainted();
  // Without a stage the rest is in sight itself.
  const below = painted || stage === undefined ? children : undefined;
  return (
    <article class="station">
      <header class="station-head">
        <span class="eyebrow">
          Chapter {station.number} of {station.count} · {station.short}
        </span>
        <h1>{station.question}</h1>
        <div class="station-act">
          <p>{station.act}</p>
          {actions}
        </div>
      </header>
      {top}
      <div class="bench">
        {stage !== undefined && <div class="stage stack">{stage}</div>}
        <Panel title={controlsTitle} className="controls">
          {controls}
        </Panel>
        <div class="rest stack">
          <Panel title="What is going on">
            <p class="lead">{lead}</p>
          </Panel>
          {below}
        </div>
      </div>
      <Panel title="Use this in your code">
        <Code text={code.install} what="the command" />
        <Code text={code.text} what="the code" />
      </Panel>
      <Turn station={station} />
    </article>
  );
}

/** Whether what is in sight was painted: what lies below it is not to keep the page from answering. */
function usePainted(): boolean {
  const [painted, setPainted] = useState(false);
  useEffect(() => setPainted(true), []);
  return painted;
}

/** To the chapters before and after. */
function Turn({ station: { previous, next } }: { readonly station: Station }) {
  return (
    <nav class="turn" aria-label="Previous and next chapter">
      <a href={previous === undefined ? '#/' : linkTo(previous.name)} rel="prev">
        <small>← {previous === undefined ? 'Start' : `Previous: ${previous.short}`}</small>
        {previous?.question ?? 'What the batch does'}
      </a>
      {next !== undefined && (
        <a href={linkTo(next.name)} rel="next">
          <small>Next: {next.short} →</small>
          {next.question}
        </a>
      )}
    </nav>
  );
}
