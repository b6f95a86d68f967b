// The places of a graph where values are normalized: what stands for statistics there, and where it is kept.
import type { Node } from '../graph/node.ts';

/** A place in a graph where values are normalized. */
export type GraphSite = BatchNormSite | FoldedSite;

interface Place {
  readonly name: string;
  readonly channels: number;
  /** The channel axis, from the end. */
  readonly axis: number;
  readonly epsilon: number;
}

/** A batch norm that the converter left: its statistics are constants of the graph. */
export interface BatchNormSite extends Place {
  readonly kind: 'batchNorm';
  /** The batch norm; its input is what is normalized. */
  readonly node: Node;
  /** The names of the constants, [channels] each. */
  readonly gamma: string;
  readonly beta: string;
  readonly mean: string;
  readonly variance: string;
}

/** Weights and a bias into which statistics were folded: they scale and shift each channel as a batch norm would. */
export interface FoldedSite extends Place {
  readonly kind: 'folded';
  /** The node that adds the bias; its output, before any activation that is fused into it, is what is normalized. */
  readonly node: Node;
  readonly weights: Weights;
  /** The name of the constant: as many values as channels. */
  readonly bias: string;
  /** What the node computes after the bias, where something is fused into it. */
  readonly activation: Activation | undefined;
}

/** A constant whose values each belong to one output channel. */
export interface Weights {
  readonly name: string;
  /** How many values in a row belong to one channel before the next one's begin. */
  readonly run: number;
}

/** An activation as an op of its own. */
export interface Activation {
  readonly op: string;
  /** The slope of a LeakyRelu. */
  readonly alpha?: number;
  /** The slopes of a Prelu. */
  readonly slopes?: Slopes;
}

/** The slopes of a Prelu. */
export interface Slopes {
  /** As the node names it among its inputs. */
  readonly input: string;
  /**
   * The name of the constant, where it has to be seen as [channels, 1, 1]: fused into a convolution whose channels come
   * first, slopes are one per channel, while an op of its own would take them along the last axis.
   */
  readonly perChannel?: string;
}

/** A place where a graph might normalize, but which cannot be adapted. */
export interface LeftOut {
  /** The name of the node: of a convolution, a matrix product or a batch norm. */
  readonly name: string;
  /** Why, as the end of a sentence. */
  readonly reason: string;
}
