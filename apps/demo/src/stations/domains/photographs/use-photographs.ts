// What the page knows of the photographs: fetched when the visitor comes to them, read anew whenever something is set.

import { untracked, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { generation } from '../../../lab/lab.ts';
import { useTask } from '../../../lab/use-task.ts';
import { oneOf } from '../../../state/setting.ts';
import { useSettings } from '../../../state/use-settings.ts';
import { SEVERITIES } from '../settings.ts';
import type { Readings } from './conclusion.ts';
import {
  CLASSES,
  CORRUPTIONS,
  type PhotographOptions,
  type Photographs,
  type Stream,
  WAYS,
  type Way,
} from './settings.ts';
import type { tasks } from './tasks.ts';

/** How long a control must rest before all is read anew, in milliseconds. */
const REST = 250;

const CHOICES = {
  photographs: oneOf(
    CORRUPTIONS.map(({ value }) => value),
    'fog',
  ),
  strength: oneOf(SEVERITIES, 3),
  stream: oneOf<Stream>(['all', ...CLASSES], 'frog'),
  way: oneOf<Way>(
    WAYS.map(({ value }) => value),
    'plain',
  ),
};

export function usePhotographs() {
  const { photographs: corruption, strength: severity, stream, way } = useSettings(CHOICES);
  const options = useComputed<PhotographOptions>(() => ({
    corruption: corruption.value,
    severity: severity.value,
    stream: stream.value,
  }));
  const shown = useSignal<{ read: Photographs; stream: Photographs } | undefined>(undefined);
  const readings = useSignal<Readings>({});
  const inSight = useSignal(false);
  const place = useRef<HTMLDivElement>(null);

  const task = useTask<typeof tasks.compare>(
    'compare',
    'Reading photographs',
    (event) => {
      if (event.kind === 'photographs') shown.value = event;
      else readings.value = { ...readings.value, [event.way]: event.reading };
    },
    { part: 'photographs', passing: true },
  );

  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      inSight.value = true;
      observer.disconnect();
    });
    observer.observe(place.current as HTMLDivElement);
    return () => observer.disconnect();
  }, []);

  const start = () => {
    readings.value = {};
    void task.start(options.peek(), undefined);
  };
  const begun = useRef(false);
  useSignalEffect(() => {
    // Another worker knows nothing of what was asked of the last one.
    void [options.value, generation.value];
    if (!inSight.value) return;
    const timer = setTimeout(() => untracked(start), begun.current ? REST : 0);
    begun.current = true;
    return () => clearTimeout(timer);
  });

  return { corruption, severity, stream, way, shown, readings, task, place, start };
}

export type PhotographsState = ReturnType<typeof usePhotographs>;
