// The camera: asked for when the visitor clicks, and released when it is stopped or the visitor leaves.

import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { cameraDigit } from './camera-digit.ts';
import { explainCameraError } from './camera-error.ts';

/** Pixels of a side that frames are read at. */
const SIDE = 112;
const EVERY_MS = 125;

export type Camera = ReturnType<typeof useCamera>;

/**
 * @param video shows what the camera sees.
 * @param onFrame called for each frame, several times a second.
 */
export function useCamera(video: RefObject<HTMLVideoElement | null>, onFrame: (digit: Uint8Array) => void) {
  const state = useSignal<'off' | 'asking' | 'on'>('off');
  const error = useSignal<string | undefined>(undefined);
  const stream = useRef<MediaStream | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setInterval> | undefined>(undefined);
  /** Counts the requests: a camera that is granted after its request was taken back is released at once. */
  const asked = useRef(0);
  const listener = useRef(onFrame);
  listener.current = onFrame;

  const stop = () => {
    asked.current++;
    clearInterval(timer.current);
    for (const track of stream.current?.getTracks() ?? []) track.stop();
    stream.current = undefined;
    if (video.current) video.current.srcObject = null;
    state.value = 'off';
  };

  const start = async () => {
    stop();
    const mine = asked.current;
    state.value = 'asking';
    error.value = undefined;
    let found: MediaStream | undefined;
    try {
      if (navigator.mediaDevices === undefined) throw new DOMException('', 'NotSupportedError');
      found = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment', width: { ideal: 640 }, height: { ideal: 480 } },
        audio: false,
      });
      const element = video.current;
      if (mine !== asked.current || element === null) {
        for (const track of found.getTracks()) track.stop();
        return;
      }
      stream.current = found;
      // Pulled out, or taken away in the browser's settings.
      for (const track of found.getTracks()) track.addEventListener('ended', stop);
      element.srcObject = found;
      await element.play();
      if (mine !== asked.current) return;
      state.value = 'on';
      timer.current = setInterval(readerOf(element, listener), EVERY_MS);
    } catch (thrown) {
      if (mine !== asked.current) return;
      stop();
      error.value = explainCameraError(thrown);
    }
  };

  useEffect(() => stop, []);
  return { state, error, start, stop };
}

function readerOf(video: HTMLVideoElement, listener: RefObject<(digit: Uint8Array) => void>): () => void {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return () => {
    const { videoWidth, videoHeight } = video;
    if (context === null || videoWidth === 0) return;
    const side = Math.min(videoWidth, videoHeight);
    const [left, top] = [(videoWidth - side) / 2, (videoHeight - side) / 2];
    context.drawImage(video, left, top, side, side, 0, 0, SIDE, SIDE);
    listener.current?.(cameraDigit(context.getImageData(0, 0, SIDE, SIDE).data, SIDE));
  };
}
