/** What `tf.memory` returns, as far as a leak check needs it. */
export interface TensorMemory {
  memory(): { numTensors: number; numDataBuffers: number };
}

/**
 * Runs `body` twice and throws if the second run leaves more tensors or data buffers behind than it found. (The
 * first run may fill caches that are meant to stay.) `body` must dispose what it was given to own.
 */
export async function expectNoLeaks(tf: TensorMemory, body: () => unknown): Promise<void> {
  await body();
  const before = tf.memory();
  await body();
  const after = tf.memory();
  if (after.numTensors !== before.numTensors || after.numDataBuffers !== before.numDataBuffers) {
    throw new Error(
      `leaked ${after.numTensors - before.numTensors} tensors and ` +
        `${after.numDataBuffers - before.numDataBuffers} data buffers`,
    );
  }
}
