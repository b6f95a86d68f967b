// A report as one HTML page that needs nothing else: charts and pictures are in it.
import type { Chart } from './charts.ts';

/** A picture with what two models say of it, or one before and after. */
export interface SamplePicture {
  readonly name: string;
  readonly png: Uint8Array;
  /** In words: a class and how sure. */
  readonly before: string;
  readonly after: string;
  readonly changed: boolean;
}

/** What a page shows. */
export interface Page {
  readonly title: string;
  /** What was done to what, a line each. */
  readonly lines: readonly string[];
  readonly advice?: readonly string[];
  readonly charts: readonly Chart[];
  readonly pictures?: {
    readonly before: string;
    readonly after: string;
    readonly list: readonly SamplePicture[];
  };
  /** Plain text, as in a terminal. */
  readonly details: string;
}

/** The page's text. Whatever comes from files is escaped; no script runs, and the page says so. */
export function renderPage({ title, lines, advice = [], charts, pictures, details }: Page): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
pre { background: #f6f8fa; padding: 1rem; overflow-x: auto; font-size: 13px; }
svg { max-width: 100%; height: auto; }
ul.pictures { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
ul.pictures img { max-width: 8rem; max-height: 8rem; min-width: 3rem; image-rendering: auto; border: 1px solid #d0d7de; }
ul.pictures .name { overflow-wrap: anywhere; font-size: 12px; color: #59636e; }
ul.pictures .changed { font-weight: 600; }
</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${lines.map((line) => `<p>${escaped(line)}</p>`).join('\n')}
${advice.length > 0 ? `<h2>Advice</h2>\n${advice.map((one) => `<p>${escaped(one)}</p>`).join('\n')}` : ''}
${charts.map(renderChart).join('\n')}
${pictures && pictures.list.length > 0 ? renderPictures(pictures) : ''}
<h2>In numbers</h2>
<pre>${escaped(details)}</pre>
</main>
</body>
</html>
`;
}

function renderChart({ title, legend, svg }: Chart): string {
  const keys = legend.map(({ color, of }) => `<span style="color: ${color}">&#9679;</span> ${escaped(of)}`);
  return `<h2>${escaped(title)}</h2>\n<p>${keys.join(' &nbsp; ')}</p>\n${svg}`;
}

function renderPictures({ before, after, list }: NonNullable<Page['pictures']>): string {
  const items = list.map(
    (one) => `<li>
<img alt="${escaped(one.name)}" src="data:image/png;base64,${Buffer.from(one.png).toString('base64')}">
<div class="name">${escaped(one.name)}</div>
<div>${escaped(before)}: ${escaped(one.before)}</div>
<div${one.changed ? ' class="changed"' : ''}>${escaped(after)}: ${escaped(one.after)}</div>
</li>`,
  );
  return `<h2>${list.length} pictures, ${escaped(before)} and ${escaped(after)}</h2>\n<ul class="pictures">\n${items.join('\n')}\n</ul>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string) => text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]!);
