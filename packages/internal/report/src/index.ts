// What the apps' reports are made of: charts as SVG files and tables in Markdown.

export { markdownTable, type Table } from './markdown-table.ts';
export { renderSvg } from './render-svg.ts';
