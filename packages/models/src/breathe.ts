// On cpu and wasm nothing ever waits, so timers, input and abort signals need to be let in by hand.

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
    // A browser puts off timers that follow on each other by 4 ms, but not messages.
    else if (typeof MessageChannel === 'function') {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else setTimeout(resolve, 0);
  });
}
