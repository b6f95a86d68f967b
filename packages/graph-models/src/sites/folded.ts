// Weights followed by a constant bias: where a batch norm may have been folded away.
import type { Node } from '../graph/node.ts';
import { activationOf, fusedOps } from './activations.ts';
import { type Constant, constantAt, HANDS_ON, list, whyShared } from './constants.ts';
import { addsPerChannel, FUSED, isChannelsFirst, type Linear, linearOf, scaleOf } from './linear.ts';
import type { Activation, GraphSite, Slopes } from './site.ts';
import type { Judgement, Surroundings } from './surroundings.ts';

const ADDS: ReadonlySet<string> = new Set(['BiasAdd', 'Add', 'AddV2']);

/** A convolution or matrix product, with the bias that is fused into it or that follows it. */
export function judgeLinear(around: Surroundings, node: Node): Judgement | undefined {
  const weights = constantAt(around, node.inputs[1]);
  if (weights === undefined) return 'its weights are no constant';
  const linear = linearOf(node, weights);
  if (linear === undefined)
    return `its weights have the shape [${weights.shape.join(', ')}], which does not fit`;
  return FUSED.has(node.op)
    ? judgeFused(around, node, weights, linear)
    : judgeFollowed(around, node, weights, linear);
}

/** A multiplication: of interest where it scales each channel by a constant, and one value per channel is added then. */
export function judgeScale(around: Surroundings, node: Node): Judgement | undefined {
  const constants = node.inputs.map((input) => constantAt(around, input));
  const scale = constants.find((constant) => constant !== undefined);
  if (scale === undefined || constants.every((constant) => constant !== undefined)) return undefined;
  const linear = scaleOf(scale);
  const bias = linear && biasAfter(around, node);
  if (linear === undefined || bias?.constant === undefined) return undefined;
  if (!addsPerChannel(bias.constant.shape, linear)) return undefined;
  return judgeFollowed(around, node, scale, linear);
}

function judgeFused(around: Surroundings, node: Node, weights: Constant, linear: Linear): Judgement {
  const { bias: hasBias, activation: fused } = fusedOps(node);
  if (!hasBias) return 'it has no bias';
  const bias = constantAt(around, node.inputs[2]);
  if (bias === undefined) return 'its bias is no constant';
  const first = isChannelsFirst(node);
  if (first && node.op === 'FusedDepthwiseConv2dNative') {
    return 'TensorFlow.js does not compute fused depthwise convolutions whose channels come first';
  }
  // Fused, a bias of rank 1 goes along the channels wherever they are.
  const fits = first ? bias.shape.join() === String(linear.channels) : addsPerChannel(bias.shape, linear);
  if (!fits) return notPerChannel(bias, linear);
  let activation: Activation | undefined;
  if (fused !== undefined) {
    activation = activationOf(node, fused, slopesOf(around, node));
    if (activation === undefined) return `the activation '${fused}' that is fused into it is not supported`;
  }
  return folded(node, weights, linear, bias, activation);
}

function slopesOf(around: Surroundings, node: Node): Slopes | undefined {
  const input = node.def.input?.[3];
  if (input === undefined) return undefined;
  if (!isChannelsFirst(node)) return { input };
  const constant = constantAt(around, node.inputs[3]);
  if (constant === undefined) return undefined;
  return { input, ...(constant.shape.length === 1 && { perChannel: constant.name }) };
}

function judgeFollowed(
  around: Surroundings,
  node: Node,
  weights: Constant,
  linear: Linear,
): Judgement | undefined {
  const { graph } = around;
  if (holdersOf(around, node).some((holder) => graph.outputs.has(holder))) {
    return 'what it computes without a bias is an output of the model';
  }
  const users = usersOf(around, node);
  if (users.length !== 1) {
    return `its output is used in ${users.length} places (${list(users)}), so that no bias is its alone`;
  }
  const [user] = users as [Node];
  // The scale stands for the batch norm then, and is judged on its own.
  if (user.op === 'Mul' && judgeScale(around, user) !== undefined) return undefined;
  const after = biasAfter(around, node);
  if (after === undefined) return `no constant bias follows it, but '${user.name}', ${user.op}`;
  const { add, constant: bias } = after;
  if (bias === undefined) return `what '${add.name}' adds to it is no constant`;
  if (graph.dynamic.has(add)) return `its bias is added in '${add.name}', which waits for control flow`;
  if (!addsPerChannel(bias.shape, linear)) return notPerChannel(bias, linear);
  return folded(add, weights, linear, bias, undefined);
}

/** What is added to a node's output by its only user: a constant or not; undefined where nothing is. */
function biasAfter(
  around: Surroundings,
  node: Node,
): { add: Node; constant: Constant | undefined } | undefined {
  const [add, ...others] = usersOf(around, node);
  if (add === undefined || others.length > 0 || !ADDS.has(add.op)) return undefined;
  const holders = holdersOf(around, node);
  const other = add.inputs.find((input) => !holders.includes(input.node));
  return { add, constant: constantAt(around, other) };
}

/** The nodes that compute from a node's output, be it handed on to them. */
function usersOf(around: Surroundings, node: Node): Node[] {
  const direct = holdersOf(around, node).flatMap((holder) => usedUsers(around, holder));
  return direct.filter(({ op }) => !HANDS_ON.has(op));
}

/** A node, and those that hand its output on as it is. */
function holdersOf(around: Surroundings, node: Node): Node[] {
  const handing = usedUsers(around, node).filter(({ op }) => HANDS_ON.has(op));
  return [node, ...handing.flatMap((next) => holdersOf(around, next))];
}

const usedUsers = ({ graph }: Surroundings, node: Node): Node[] =>
  node.users.map((user) => user.node).filter((user) => graph.used.has(user));

function folded(
  node: Node,
  weights: Constant,
  { weights: layout, channels, axis }: Linear,
  bias: Constant,
  activation: Activation | undefined,
): GraphSite | string {
  const shared = whyShared('weights', weights) ?? whyShared('biases', bias);
  if (shared !== undefined) return shared;
  return {
    kind: 'folded',
    name: node.name,
    node,
    channels,
    axis,
    epsilon: 0,
    weights: layout,
    bias: bias.name,
    activation,
  };
}

function notPerChannel({ name, shape }: Constant, { channels }: Linear): string {
  return `its bias '${name}' has the shape [${shape.join(', ')}], which is not one value for each of ${channels} channels`;
}
