/**
 * Fetches a file of the page.
 *
 * @param what for people, such as `digits`.
 * @throws (rejects) saying what could not be loaded and what to do, if it does not come.
 */
export async function fetchFile(url: URL, what: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new Error(`The ${what} could not be loaded. Check the connection, then try again.`, { cause });
  }
  if (!response.ok) {
    const name = url.pathname.split('/').at(-1);
    throw new Error(
      `The ${what} could not be loaded: ${name} answered with status ${response.status}. Try again later.`,
    );
  }
  return response;
}
