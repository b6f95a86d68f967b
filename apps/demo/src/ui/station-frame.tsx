import type { ComponentChildren } from 'preact';
import { Code } from './code.tsx';
import { Panel } from './panel.tsx';

export interface StationFrameProps {
  readonly number: number;
  readonly title: string;
  /** What is to be seen here, in two or three sentences. */
  readonly lead: ComponentChildren;
  /** What comes first, above the controls. */
  readonly top?: ComponentChildren;
  readonly controls: ComponentChildren;
  /** What stands above the controls; default 'Controls'. */
  readonly controlsTitle?: string;
  readonly children: ComponentChildren;
  /** The few lines that do this in the visitor's code, and what to install for them. */
  readonly code: { readonly install: string; readonly text: string };
}

/** What all stations look like: what this is, controls beside what happens, and the code to take away. */
export function StationFrame(props: StationFrameProps) {
  const { number, title, lead, top, controls, controlsTitle = 'Controls', children, code } = props;
  return (
    <article class="station">
      <header class="station-head">
        <span class="eyebrow">Station {number}</span>
        <h1>{title}</h1>
        <p>{lead}</p>
      </header>
      {top}
      <div class="bench">
        <Panel title={controlsTitle} className="controls">
          {controls}
        </Panel>
        <div class="stack">{children}</div>
      </div>
      <Panel title="Use this in your code">
        <Code text={code.install} what="the command" />
        <Code text={code.text} what="the code" />
      </Panel>
    </article>
  );
}
