import { notice } from '../lab/lab.ts';
import { addressProblems } from '../state/address-problems.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';

/** What concerns the whole page: a worker that was lost, a browser that cannot compute, an address that asks for what is not. */
export function Notices() {
  return (
    <>
      <LabNotice />
      {addressProblems.value.map((problem) => (
        <Notice kind="warn" key={problem}>
          <span>{problem}</span>
        </Notice>
      ))}
    </>
  );
}

function LabNotice() {
  const current = notice.value;
  if (current === undefined) return null;
  return (
    <Notice kind={current.kind === 'broken' ? 'bad' : 'warn'}>
      <span>{current.text}</span>
      {current.kind === 'broken' ? (
        <Button small onClick={() => location.reload()}>
          Reload the page
        </Button>
      ) : (
        <Button
          small
          onClick={() => {
            notice.value = undefined;
          }}
        >
          Dismiss
        </Button>
      )}
    </Notice>
  );
}
