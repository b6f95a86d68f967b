import type { ComponentChildren } from 'preact';
import { Code } from './code.tsx';
import { Panel } from './panel.tsx';

export interface StationFrameProps {
  readonly number: number;
  readonly title: string;
  /** What is to be seen here, in two or three sentences. */
  readonly lead: ComponentChildren;
  readonly controls: ComponentChildren;
  readonly children: ComponentChildren;
  /** The few lines that do this in the visitor's code, and what to install for them. */
  readonly code: { readonly install: string; readonly text: string };
}

/** What all stations look like: what this is, controls beside what happens, and the code to take away. */
export function StationFrame({ number, title, lead, controls, children, code }: StationFrameProps) {
  return (
    <article class="station">
      <header class="station-head">
        <span class="eyebrow">Station {number}</span>
        <h1>{title}</h1>
        <p>{lead}</p>
      </header>
      <div class="bench">
        <Panel title="Controls" className="controls">
          {controls}
        </Panel>
        <div class="stack">{children}</div>
      </div>
      <Panel title="Use this in your code">
        <Code text={code.install} />
        <Code text={code.text} />
      </Panel>
    </article>
  );
}
