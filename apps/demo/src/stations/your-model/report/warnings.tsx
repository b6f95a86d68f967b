import { Notice } from '../../../ui/notice.tsx';

/** What a report wants people to know before they rely on it. */
export function Warnings({ of }: { readonly of: readonly string[] }) {
  return (
    <>
      {of.map((warning) => (
        <Notice kind="warn" key={warning}>
          <span>{warning}</span>
        </Notice>
      ))}
    </>
  );
}
