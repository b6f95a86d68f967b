// Options of a recalibration in parts: on several threads, on several machines, or over time.
import { type Command, InvalidArgumentError } from 'commander';
import { notNegative, positive, wholeNumber } from './options.ts';

/** How a run is spread. */
export interface PartsFlags {
  readonly workers?: number;
  readonly checkpoint?: string;
  readonly checkpointEvery: number;
  readonly queue?: string;
  readonly queueName: string;
  readonly patience: number;
  readonly attempts: number;
  readonly shardBatches: number;
}

/** How a worker serves. */
export interface WorkerFlags {
  readonly queue: string;
  readonly queueName: string;
  readonly patience: number;
  readonly lease: number;
  readonly allowModules?: boolean;
  readonly discard?: boolean;
}

export function addPartsOptions(command: Command): Command {
  command
    .optionsGroup('On all cores, over time, on many machines:')
    .option('--workers <n>', 'threads that decode and compute; the result is the same bits', threads)
    .option('--checkpoint <file>', 'keep how far it is: a run that was killed goes on from there')
    .option(
      '--checkpoint-every <seconds>',
      'between two times that it is written; 0: after every batch',
      notNegative,
      10,
    );
  addQueueOptions(command.option('--queue <url>', 'a Redis whose workers measure (rebatch worker)', redis));
  return command
    .option(
      '--attempts <n>',
      'how often a part is tried in the queue, before it ends the run',
      wholeNumber(1),
      3,
    )
    .option('--shard-batches <n>', 'batches of a part in the queue', wholeNumber(1), 8)
    .optionsGroup('Options:');
}

export const addQueueOptions = (command: Command): Command =>
  command
    .option('--queue-name <name>', 'of the queue there; the same for all who take part', queueName, 'rebatch')
    .option('--patience <seconds>', 'how long Redis may be gone before this gives up', positive, 60);

function queueName(text: string): string {
  if (/^[\w.-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, ".", "_" and "-".');
}

/** Whether a run is in parts at all. */
export const isInParts = ({ workers, checkpoint, queue }: PartsFlags): boolean =>
  workers !== undefined || checkpoint !== undefined || queue !== undefined;

/** An address of a Redis. */
export function redis(text: string): string {
  if (URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('Expected an address, as redis://host:6379.');
}

function threads(text: string): number {
  const count = wholeNumber(1)(text);
  if (count <= 256) return count;
  throw new InvalidArgumentError('Expected at most 256 threads.');
}
