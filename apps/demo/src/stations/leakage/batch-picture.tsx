import { useEffect, useMemo, useRef } from 'preact/hooks';
import { classes, classesIn, groupsOf, summaryOf } from './groups.ts';
import { type Batch, PER_DEVICE, type Scheme } from './settings.ts';

/** A batch of digits coloured by class; what is normalized together stands together. */
export function BatchPicture({
  batch,
  scheme,
}: {
  readonly batch: Batch | undefined;
  readonly scheme: Scheme;
}) {
  const groups = useMemo(() => groupsOf(scheme), [scheme]);
  return (
    <>
      <ol class="batch">
        {groups.map((group, at) => (
          <li key={`${scheme} ${at}`}>
            <Group
              batch={batch}
              group={group}
              label={`Group ${at + 1}: ${group.length} digits, ${batch ? classes(classesIn(group, batch.labels)) : ''}`}
            />
          </li>
        ))}
      </ol>
      <strong>{batch ? summaryOf(groups, batch.labels) : 'Loading digits…'}</strong>
    </>
  );
}

interface GroupProps {
  readonly batch: Batch | undefined;
  readonly group: readonly number[];
  readonly label: string;
}

function Group({ batch, group, label }: GroupProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const rows = group.length / PER_DEVICE;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || batch === undefined) return;
    group.forEach((position, at) => {
      const image = context.createImageData(28, 28);
      // White, as opaque as the stroke: the class's colour is the page's, behind it.
      image.data.fill(255);
      for (let i = 0; i < 784; i++) image.data[4 * i + 3] = batch.pixels[784 * position + i] as number;
      context.putImageData(image, 28 * (at % PER_DEVICE), 28 * Math.floor(at / PER_DEVICE));
    });
  }, [batch, group]);
  return (
    <div class="batch-digits" role="img" aria-label={label}>
      {group.map((position) => (
        <span
          key={position}
          style={batch === undefined ? {} : { '--class': `var(--class-${batch.labels[position]})` }}
        />
      ))}
      <canvas ref={canvas} width={28 * PER_DEVICE} height={28 * rows} />
    </div>
  );
}
