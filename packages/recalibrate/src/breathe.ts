/** On cpu and wasm nothing ever waits, so timers, input and abort signals need to be let in by hand. */

/** Milliseconds between two pauses: below what a user notices as a stall, above what pausing costs. */
const BUDGET = 30;

/** Returns a function to await often; it pauses for the event loop when it has not done so for a while. */
export function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < BUDGET) return;
    await nextTask();
    last = performance.now();
  };
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
