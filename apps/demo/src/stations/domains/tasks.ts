// What the worker does for this station: one model, which runs on the statistics of one domain at a time.

import { loadDigits } from '../../data/load-digits.ts';
import type { Task } from '../../lab/task.ts';
import { loadDigitModel } from '../../network/digit-model.ts';
import { DomainLab } from './domain-lab.ts';
import { kept } from './kept.ts';
import {
  type AdaptEvent,
  type AdaptOptions,
  type BankState,
  type Domain,
  type Look,
  type Reading,
  SHOWN,
  type Shown,
  type Switched,
} from './settings.ts';

const lab = kept(async () => {
  const [train, test] = await Promise.all([loadDigits('train'), loadDigits('test')]);
  return DomainLab.open(await loadDigitModel(), train, test);
});

/** Goes back to the statistics of the training data, and measures on a domain; its first digits are sent ahead. */
const look: Task<Domain, undefined, Shown, Look> = async (domain, run) => {
  run.progress(0, 3, 'loading the model');
  const found = await lab();
  const { images, labels } = await found.digits(domain, run, SHOWN);
  run.emit({ images, labels });
  run.progress(1, 3, 'clean digits');
  const clean = await found.clean(run);
  run.progress(2, 3, 'digits of this domain');
  const source = await found.measure(await found.digits(domain, run), run);
  return { clean, source, bank: found.bankState };
};

/** Adapts to ever more samples; each event says how well the model does by then. */
const adapt: Task<AdaptOptions, undefined, AdaptEvent, void> = async (options, run) => {
  const found = await lab();
  const digits = await found.digits(options.domain, run);
  run.progress(0, options.samples, 'corrupting digits to adapt to');
  await found.adapt(options, run, async (samples, shifts) => {
    const measured = await found.measure(digits, run);
    run.emit({ ...measured, samples, shifts, bank: found.bankState });
    run.progress(samples, options.samples, `adapted to ${samples} of ${options.samples} samples`);
  });
};

const read: Task<{ image: Uint8Array; domain: Domain }, undefined, never, Reading> = async (
  { image, domain },
  run,
) => (await lab()).read(image, domain, run);

/** Puts the present statistics into the bank. */
const store: Task<string, undefined, never, BankState> = async (name) => {
  const found = await lab();
  await found.bank.capture(name);
  return found.bankState;
};

/** Switches to a stored domain, and sees how well the model does on the digits of another. */
const use: Task<{ name: string; domain: Domain }, undefined, never, Switched> = async (
  { name, domain },
  run,
) => {
  const found = await lab();
  const measured = await found.use(name, async () => found.measure(await found.digits(domain, run), run));
  return { ...measured, bank: found.bankState };
};

const forget: Task<string, undefined, never, BankState> = async (name) => {
  const found = await lab();
  found.bank.delete(name);
  return found.bankState;
};

const save: Task<undefined, undefined, never, Uint8Array> = async () => (await lab()).bank.save();

const load: Task<Uint8Array, undefined, never, BankState & { loaded: readonly string[] }> = async (file) => {
  const found = await lab();
  const loaded = found.bank.load(file);
  return { ...found.bankState, loaded };
};

export const tasks = { look, adapt, read, store, use, forget, save, load };
