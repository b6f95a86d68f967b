import { Button } from '../../ui/button.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Select } from '../../ui/select.tsx';
import { Slider } from '../../ui/slider.tsx';
import { StationFrame } from '../../ui/station-frame.tsx';
import { ActivationsPanel } from './activations-panel.tsx';
import { CODE } from './code.ts';
import { DigitsPanel } from './digits-panel.tsx';
import { OwnDigit } from './own-digit.tsx';
import { SamplesChart } from './samples-chart.tsx';
import { CORRUPTIONS, PRIORS, SAMPLES, SEVERITIES } from './settings.ts';
import { StoredDomains } from './stored-domains.tsx';
import { useDomains } from './use-domains.ts';

export default function DomainsPage() {
  const domains = useDomains();
  const { domain, samples, prior, sight, clean, points, tasks } = domains;
  const adapting = tasks.adapt.status.value === 'running';
  const error = tasks.look.error.value ?? tasks.adapt.error.value;
  return (
    <StationFrame
      number={3}
      title="Domains: new eyes for the same weights"
      lead="A network that learnt clean digits meets noise, fog, blur, your hand and your camera. Its weights are fine; the
        means and variances that it kept are those of another domain. Adapt these to a handful of new digits, without
        labels and without training, and watch it see again."
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
              domains.adaptAgain();
            }}
            hint="Digits of this domain, without labels. A few dozen are enough."
          />
          <Slider
            label="Prior"
            values={PRIORS}
            value={prior.value}
            onChange={(value) => {
              prior.value = value;
              domains.adaptAgain();
            }}
            show={(value) => `${value} ${value === 1 ? 'sample' : 'samples'}`}
            hint="For how many samples the statistics of the clean digits count."
          />
          <div class="button-row">
            {sight.value === undefined && tasks.look.status.value !== 'running' ? (
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
        </>
      }
      code={CODE}
    >
      {error !== undefined && <Notice kind="bad">{error}</Notice>}
      <DigitsPanel domains={domains} />
      <Panel title="How little it takes">
        <SamplesChart points={points.value} clean={clean.value} source={sight.value?.source} />
      </Panel>
      <ActivationsPanel domains={domains} />
      <OwnDigit domains={domains} />
      <StoredDomains domains={domains} />
    </StationFrame>
  );
}
