import './style.css';
import { useComputed } from '@preact/signals';
import { Button } from '../../ui/button.tsx';
import { Conclusion } from '../../ui/conclusion.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Select } from '../../ui/select.tsx';
import { Slider } from '../../ui/slider.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { Term } from '../../ui/term.tsx';
import { ActivationsPanel } from './activations-panel.tsx';
import { conclusionOf, type DomainNumbers } from './conclusion.ts';
import { DigitsPanel } from './digits-panel.tsx';
import { OwnDigit } from './own-digit.tsx';
import { PhotographsPanel } from './photographs/photographs-panel.tsx';
import { SamplesChart } from './samples-chart.tsx';
import { CORRUPTIONS, PRIORS, SAMPLES, SEVERITIES } from './settings.ts';
import { StoredDomains } from './stored-domains.tsx';
import { type Domains, nameOf, useDomains } from './use-domains.ts';

export default function DomainsPage() {
  const domains = useDomains();
  const { domain, samples, prior, sight, clean, points, tasks } = domains;
  // Also before it has begun: a button of another length would move the page.
  const isComing = ['idle', 'running'].includes(tasks.look.status.value);
  const adapting = tasks.adapt.status.value === 'running';
  const numbers = useComputed(() => numbersOf(domains));
  const error = tasks.look.error.value ?? tasks.adapt.error.value;
  return (
    <StationFrame
      lead={
        <>
          A network trained on clean digits meets noise, fog, blur, your handwriting and your camera. Its
          weights are still good, but the means and variances that it stores belong to other inputs. Adapt
          them to some of the new digits, with no labels and no training, and see how much comes back. The{' '}
          <Term of="prior" /> says how much the old statistics still count.
        </>
      }
      actions={
        <div class="button-row">
          {sight.value === undefined && !isComing ? (
            <Button kind="primary" onClick={() => void domains.meet()}>
              Meet these digits
            </Button>
          ) : (
            <Button
              kind="primary"
              disabled={sight.value === undefined || adapting}
              onClick={() => domains.adaptTo()}
            >
              Adapt
            </Button>
          )}
          <Button disabled={sight.value === undefined} onClick={() => void domains.meet()}>
            Back to the source
          </Button>
        </div>
      }
      stage={
        <>
          {error !== undefined && <Notice kind="bad">{error}</Notice>}
          <OwnDigit domains={domains} />
          <DigitsPanel domains={domains} />
          <Conclusion
            text={conclusionOf(numbers.value)}
            waiting="Once the digits have been read, this line says what it takes to read them again."
            active={adapting}
          />
        </>
      }
      controls={
        <>
          <Select
            label="Corruption"
            options={CORRUPTIONS}
            value={domain.value.corruption}
            onChange={(corruption) => void domains.meet({ ...domain.value, corruption })}
          />
          <Slider
            label="Severity"
            values={SEVERITIES}
            value={domain.value.severity}
            disabled={domain.value.corruption === 'none'}
            onChange={(severity) => void domains.meet({ ...domain.value, severity })}
          />
          <Slider
            label="Samples to adapt to"
            values={SAMPLES}
            value={samples.value}
            onChange={(value) => {
              samples.value = value;
            }}
            hint="Unlabelled digits of this domain. How many it takes depends on the corruption: low contrast needs few; fog and glass blur stay hard."
          />
          <Slider
            label="Prior"
            values={PRIORS}
            value={prior.value}
            onChange={(value) => {
              prior.value = value;
            }}
            show={(value) => `${value} ${value === 1 ? 'sample' : 'samples'}`}
            hint="How many samples the old statistics count for."
          />
        </>
      }
    >
      <Panel title="How many samples it takes">
        <SamplesChart points={points.value} clean={clean.value} source={sight.value?.source} />
      </Panel>
      <ActivationsPanel domains={domains} />
      <StoredDomains domains={domains} />
      <PhotographsPanel />
    </StationFrame>
  );
}

/** What the conclusion is drawn from; undefined until the digits have been read. */
function numbersOf({ domain, sight, present, points }: Domains): DomainNumbers | undefined {
  const seen = sight.value;
  if (seen === undefined) return undefined;
  const last = points.value.at(-1);
  // Not where other statistics have been switched to since.
  const adapted = last !== undefined && last.score === present.value?.score ? last : undefined;
  return {
    name: `“${nameOf(domain.value)}”`,
    clean: seen.clean.score.accuracy,
    before: seen.source.score.accuracy,
    now: adapted?.score.accuracy,
    samples: adapted?.samples,
  };
}
