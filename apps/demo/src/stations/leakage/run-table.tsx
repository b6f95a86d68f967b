import { percent } from '../../ui/percent.ts';
import { type LeakRun, nameOf } from './runs.ts';

/** Where each training ended. */
export function RunTable({ runs }: { readonly runs: readonly LeakRun[] }) {
  const rows = runs.filter(({ points }) => points.length > 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="tables" aria-label="Trainings so far" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Protection</th>
            <th scope="col">Training loss</th>
            <th scope="col">Training error</th>
            <th scope="col">Population error</th>
            <th scope="col">Audit</th>
          </tr>
        </thead>
        <tbody>
          {rows.length === 0 && (
            <tr>
              <td colSpan={5}>Train without protection first, then with it.</td>
            </tr>
          )}
          {rows.map((run, at) => {
            const last = run.points.at(-1);
            return (
              <tr key={at}>
                <th scope="row">{nameOf(run)}</th>
                <td>{last?.loss.toFixed(2)}</td>
                <td>{percent(last?.errors.training)}</td>
                <td>{percent(last?.errors.population)}</td>
                <td>{run.audit === undefined ? '–' : run.audit.report.leaks ? 'leak' : 'no leak found'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
