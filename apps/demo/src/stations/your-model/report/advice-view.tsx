import type { Advice } from '@rebatch/inspect';
import { short } from './numbers.ts';

const TITLES: Readonly<Record<Advice['advice'], string>> = {
  'check-preprocessing': 'Check the preprocessing first',
  'keep-statistics': 'Keep the statistics',
  'repair-quantization': 'Repair the quantization',
  recalibrate: 'Recalibrate',
  'lower-momentum': 'Train with a lower momentum',
  adapt: 'Adapt to these inputs',
  'recalibrate-layerwise': 'Recalibrate layer by layer',
  'larger-normalization-batches': 'Train with larger normalization batches',
  freeze: 'Freeze the statistics at the end of training',
  'near-dead-channels': 'Channels that are nearly dead',
  'nothing-to-gain': 'Nothing to gain',
  'measure-more': 'Measure more',
};

/** 'Recalibrate: the stored ...' below the title 'Recalibrate'. */
function withoutTitle(text: string, title: string): string {
  const rest = text.startsWith(`${title}: `) ? text.slice(title.length + 2) : text;
  return rest[0]?.toUpperCase() + rest.slice(1);
}

/** What to do, why, and the numbers that it rests on. */
export function AdviceView({ advice }: { readonly advice: Advice }) {
  const { advice: kind, text, section, evidence } = advice;
  return (
    <li class="advice" data-calm={kind === 'nothing-to-gain'}>
      <h3>{TITLES[kind]}</h3>
      <p>{withoutTitle(text, TITLES[kind])}</p>
      <small class="advice-source">{section}</small>
      <details>
        <summary>The numbers behind it</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <section class="tables" tabIndex={0} aria-label="The numbers behind it">
          <table>
            <tbody>
              {Object.entries(evidence).map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">
                    <code>{name}</code>
                  </th>
                  <td>{typeof value === 'number' ? short(value) : String(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </li>
  );
}
