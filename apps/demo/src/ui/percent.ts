/** A share, 0 to 1, such as 12.3%; undefined while it is not known. */
export function percent(share: number): string;
export function percent(share: number | undefined): string | undefined;
export function percent(share: number | undefined): string | undefined {
  return share === undefined ? undefined : `${(100 * share).toFixed(1)}%`;
}
