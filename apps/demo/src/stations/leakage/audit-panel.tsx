import { Meter, Meters } from '../../ui/meter.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { type AuditEvent, SCHEMES } from './settings.ts';
import { verdictOf } from './verdict.ts';

const LAYERS = [0, 1, 2, 3] as const;

/** The audit's verdict, and what it is made of. */
export function AuditPanel({ audit }: { readonly audit: AuditEvent | undefined }) {
  const report = audit?.report;
  const verdict = verdictOf(report);
  const losses = [
    { name: 'Own class', value: report?.loss.own, color: 'mini-batch' },
    { name: 'Strangers', value: report?.loss.strangers.mean, color: 'train' },
    { name: 'Each alone', value: report?.loss.population, color: 'precise' },
  ] as const;
  const mostLoss = Math.max(...losses.map(({ value }) => value ?? 0));
  const scheme = SCHEMES.find(({ name }) => name === audit?.scheme);
  return (
    <Panel title="The audit">
      <Notice kind={verdict.kind}>
        <span class="audit-verdict">
          <strong>{verdict.title}</strong> {verdict.text}
        </span>
      </Notice>
      <div class="columns">
        <div class="audit-part">
          <h3>Loss of new digits, by who is normalized with them</h3>
          <Meters>
            {losses.map(({ name, value, color }) => (
              <Meter
                key={name}
                name={name}
                shown={value?.toFixed(2)}
                value={value}
                most={mostLoss}
                color={color}
              />
            ))}
          </Meters>
        </div>
        <div class="audit-part">
          <h3>Where it leaks, by layer</h3>
          <Meters>
            {LAYERS.map((at) => {
              const share = report?.layers[at]?.share;
              const shown = share === undefined ? undefined : `${Math.round(100 * share)}%`;
              return (
                <Meter key={at} name={`BN ${at + 1}`} shown={shown} value={share} most={1} color="bad" />
              );
            })}
          </Meters>
        </div>
      </div>
      <p class="field-hint">
        {audit === undefined || scheme === undefined
          ? 'The audit normalizes the same new digits with their own class, and then again and again with strangers.'
          : `Step ${audit.step}, protection: ${scheme.short}. ${audit.report.samples} new digits, regrouped ${audit.report.permutations} times.`}
      </p>
    </Panel>
  );
}
