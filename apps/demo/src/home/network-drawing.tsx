import { useMemo } from 'preact/hooks';
import type { BatchLook, Watched } from './digits.ts';
import type { PlainNetwork } from './network.ts';

export interface NetworkDrawingProps {
  readonly network: PlainNetwork;
  /** Undefined while nothing has gone through. */
  readonly look: BatchLook | undefined;
  readonly watched: Watched;
}

const [WIDTH, HEIGHT] = [400, 240];
/** Where the columns stand: three blocks and the classes. */
const COLUMNS = [24, 146, 268, 384] as const;
/** Wires into each node: its strongest ones, since all of them would be a blur. */
const WIRES = 2;
/** Stored standard deviations off that are shown in full colour. */
const FULL = 0.6;

/**
 * The network with its layers, a node for each channel: in colour how far the mean of the batch is from the stored one.
 * The last column are the ten classes, the darker the more of the batch they are taken for.
 */
export function NetworkDrawing({ network, look, watched }: NetworkDrawingProps) {
  const wires = useMemo(() => wiresOf(network), [network]);
  const columns = [...network.blocks.map(({ channels }) => channels), 10];
  return (
    <svg
      class="idea-network"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="idea-wires" d={wires} />
      {columns.map((count, column) =>
        Array.from({ length: count }, (_, node) => {
          const height = HEIGHT / count;
          const isWatched = column === watched.block && node === watched.channel;
          return (
            <rect
              key={`${column} ${node}`}
              class={isWatched ? 'idea-node idea-watched' : 'idea-node'}
              x={(COLUMNS[column] as number) - 8}
              y={node * height + 0.75}
              width={16}
              height={height - 1.5}
              rx={2}
              style={{ fill: paintOf(look, column, node) }}
            />
          );
        }),
      )}
    </svg>
  );
}

function paintOf(look: BatchLook | undefined, column: number, node: number): string {
  const shift = look?.shifts[column]?.[node];
  if (shift !== undefined) {
    return mixed(shift > 0 ? 'var(--ema)' : 'var(--layerwise)', Math.abs(shift) / FULL);
  }
  return mixed('var(--ink)', look?.probabilities[node] ?? 0);
}

const mixed = (color: string, share: number) =>
  `color-mix(in oklab, ${color} ${Math.round(100 * Math.min(1, share))}%, var(--raised))`;

function wiresOf({ blocks, kernel }: PlainNetwork): string {
  const into = [
    ...blocks
      .slice(1)
      .map(({ inputs, channels, kernel: weights }) => ({ inputs, outputs: channels, weights })),
    { inputs: blocks.at(-1)?.channels ?? 0, outputs: 10, weights: kernel },
  ];
  return into
    .flatMap(({ inputs, outputs, weights }, column) => {
      // Over all positions: rows of the weights are positions x inputs.
      const strengths = Array.from({ length: outputs }, () => new Float64Array(inputs));
      for (let i = 0; i < weights.length; i++) {
        const [row, output] = [Math.floor(i / outputs), i % outputs];
        (strengths[output] as Float64Array)[row % inputs]! += Math.abs(weights[i] as number);
      }
      return strengths.flatMap((own, output) =>
        [...own.keys()]
          .sort((a, b) => (own[b] as number) - (own[a] as number))
          .slice(0, WIRES)
          .map((input) => {
            const [x0, x1] = [(COLUMNS[column] as number) + 8, (COLUMNS[column + 1] as number) - 8];
            const at = (node: number, count: number) => (((node + 0.5) * HEIGHT) / count).toFixed(1);
            return `M${x0},${at(input, inputs)}L${x1},${at(output, outputs)}`;
          }),
      );
    })
    .join('');
}
