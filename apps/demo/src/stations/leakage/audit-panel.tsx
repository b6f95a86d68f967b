import { Meters } from '../../ui/meters.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { type AuditEvent, SCHEMES } from './settings.ts';
import { verdictOf } from './verdict.ts';

const LAYERS = [0, 1] as const;

/** The audit's verdict, and what it is made of. */
export function AuditPanel({ audit }: { readonly audit: AuditEvent | undefined }) {
  const report = audit?.report;
  const verdict = verdictOf(report);
  const scheme = SCHEMES.find(({ name }) => name === audit?.scheme);
  return (
    <Panel title="The audit">
      <Notice kind={verdict.kind}>
        <span class="verdict">
          <strong>{verdict.title}</strong> {verdict.text}
        </span>
      </Notice>
      <div class="columns">
        <div class="audit-part">
          <h3>Loss of new digits, by company</h3>
          <Meters
            meters={[
              { name: 'Own class', value: report?.loss.own, color: 'mini-batch' },
              { name: 'Strangers', value: report?.loss.strangers.mean, color: 'train' },
              { name: 'Population', value: report?.loss.population, color: 'precise' },
            ]}
            show={(loss) => loss.toFixed(2)}
          />
        </div>
        <div class="audit-part">
          <h3>Where it leaks, by layer</h3>
          <Meters
            meters={LAYERS.map((at) => ({
              name: `BN ${at + 1}`,
              value: report?.layers[at]?.share,
              color: 'bad',
            }))}
            most={1}
            show={(share) => `${Math.round(100 * share)}%`}
          />
        </div>
      </div>
      <p class="field-hint">
        {audit === undefined || scheme === undefined
          ? 'It normalizes the same new digits with their own class and with strangers, again and again.'
          : `Step ${audit.step}, protection: ${scheme.short}. ${audit.report.samples} new digits, regrouped ${audit.report.permutations} times.`}
      </p>
    </Panel>
  );
}
