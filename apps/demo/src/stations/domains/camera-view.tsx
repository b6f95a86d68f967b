import { useRef } from 'preact/hooks';
import { useOnLeave } from '../../state/on-leave.ts';
import { Button } from '../../ui/button.tsx';
import { Notice } from '../../ui/notice.tsx';
import { useCamera } from './use-camera.ts';

/** What the camera sees, with a frame for the digit. */
export function CameraView({ onFrame }: { readonly onFrame: (digit: Uint8Array) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const { state, error, start, stop } = useCamera(video, onFrame);
  useOnLeave(stop);
  return (
    <div class="pad-box">
      <div class="pad">
        <video ref={video} muted playsInline aria-label="What the camera sees" />
        {state.value === 'on' && <span class="pad-guide" />}
        {state.value !== 'on' && (
          <span class="pad-empty">
            {state.value === 'asking' ? 'Waiting for the camera…' : 'The camera is off'}
          </span>
        )}
      </div>
      <div class="button-row">
        {state.value === 'off' ? (
          <Button onClick={() => void start()}>Start the camera</Button>
        ) : (
          <Button onClick={stop}>Stop the camera</Button>
        )}
      </div>
      {error.value !== undefined && <Notice kind="warn">{error.value}</Notice>}
      <p class="field-hint">
        Hold a boldly written digit up to the camera, inside the frame. Pictures stay on this page; none is
        kept or sent.
      </p>
    </div>
  );
}
