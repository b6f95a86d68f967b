import {
  type Agreement,
  compareOutputs,
  compareSites,
  inputOrder,
  type SiteDrift,
} from '../../comparison.ts';
import { loadModel } from '../../model/load-model.ts';
import { checkPlaces, filesOfModel, writtenBy } from '../../output/places.ts';
import { writeAtomically } from '../../output/write-atomically.ts';
import { type DataPart, dataPart, headLines, type ModelPart, modelPart } from '../../report/base.ts';
import { shiftChart } from '../../report/charts.ts';
import { renderPage } from '../../report/page.ts';
import { answers, pictures } from '../../report/predictions.ts';
import { percent, plainTable, short } from '../../report/table.ts';
import { type SessionFlags, withSession } from '../../session.ts';
import type { Context } from '../context.ts';

export interface CompareFlags extends SessionFlags {
  readonly samples?: number;
  readonly minAgreement?: number;
  readonly report?: string;
}

/** What `compare --json` prints. */
export interface CompareOutput {
  readonly command: 'compare';
  readonly a: ModelPart;
  readonly b: ModelPart;
  readonly data: DataPart;
  readonly agreement: Agreement;
  /** Of the sites that both have. */
  readonly sites: readonly SiteDrift[];
  readonly written: readonly string[];
}

/** What `rebatch compare` does. */
export async function runCompare(
  pathA: string,
  pathB: string,
  data: string,
  flags: CompareFlags,
  { streams, end }: Context,
): Promise<void> {
  const { signal } = streams;
  await withSession(pathA, data, flags, streams, { storedOnly: false }, async (session) => {
    const { loaded: a, progress } = session;
    const b = await loadModel(pathB, { signal });
    try {
      await checkPlaces(writtenBy(flags), filesOfModel(b));
      const to = flags.samples === undefined ? undefined : session.positions(flags.samples);
      const all = to ?? session.count;
      const order = inputOrder(a, b, { batchSize: session.batchSize, count: all });
      const agreement = await compareOutputs(session, a, b, {
        batchSize: session.batchSize,
        to: all ?? undefined,
        order,
        signal,
        onSamples: (samples) => progress.show('samples', samples, all),
      });
      progress.stop();
      const sites = await compareSites(session, a, b, { to, order, signal });
      const part = dataPart(session, null);
      const written: string[] = [];
      const text = compareText(pathA, pathB, agreement, sites);
      if (flags.report !== undefined) {
        const rows = sites.flatMap(({ name, shift }) => (shift ? [{ name, shift }] : []));
        const page = renderPage({
          title: `${pathA} and ${pathB}`,
          lines: headLines(session, part),
          charts:
            rows.length > 0
              ? [await shiftChart('What the layers see: from the first model to the second', rows)]
              : [],
          pictures: {
            before: 'first',
            after: 'second',
            list: await pictures(
              session,
              await answers(session, a, signal),
              await answers(session, b, signal),
            ),
          },
          details: text,
        });
        await writeAtomically(flags.report, page);
        written.push(flags.report);
      }
      const result: CompareOutput = {
        command: 'compare',
        a: modelPart(a),
        b: modelPart(b),
        data: part,
        agreement,
        sites,
        written,
      };
      if (flags.json) streams.out(`${JSON.stringify(result, undefined, 2)}\n`);
      else
        streams.out(
          `${[...headLines(session, part), '', text, ...written.map((path) => `Written: ${path}`)].join('\n')}\n`,
        );
      if (flags.minAgreement !== undefined && agreement.top1 < flags.minAgreement) {
        streams.err(
          `The models agree in ${percent(agreement.top1)}, less than ${percent(flags.minAgreement)}.\n`,
        );
        end(7);
      }
    } finally {
      b.dispose();
    }
  });
}

function compareText(a: string, b: string, agreement: Agreement, sites: readonly SiteDrift[]): string {
  const { samples, answers: compared, top1, nan, difference, errors } = agreement;
  const per = compared === samples ? '' : ` (${compared} answers)`;
  const rows = sites.map(({ name, shift }) => [
    name,
    ...(shift ? [short(shift.mean.rms), short(shift.variance.rms)] : ['-', '-']),
  ]);
  return [
    `a: ${a}`,
    `b: ${b}`,
    `The same top class in ${percent(top1)} of ${samples} samples${per}.`,
    ...(nan.a + nan.b > 0
      ? [`Answers that are NaN, which agree with nothing: a ${nan.a}, b ${nan.b} of ${compared}.`]
      : []),
    difference
      ? `Outputs differ by ${short(difference.rms)} (root mean square), at most by ${short(difference.max)}.`
      : 'No value is finite in the outputs of both.',
    ...(errors ? [`Wrong answers: a ${percent(errors.a)}, b ${percent(errors.b)}.`] : []),
    ...(sites.length > 0
      ? [
          '',
          plainTable(['layer', 'drift: mean', 'variance'], rows),
          '',
          'drift: of what a layer sees, from a to b; means in standard deviations, variances as differences of logarithms.',
        ]
      : ['The models have no layers of the same names to compare.']),
  ].join('\n');
}
