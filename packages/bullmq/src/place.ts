// Where the jobs are: a queue in a Redis, by an address that everybody has.
import { checkOptions, integer, type OptionRules, type Rule, required } from '@rebatch/stats/~internal';
import type { RedisOptions } from 'bullmq';
import { QueueError, RedisUnreachableError } from './errors.ts';

/** A queue. */
export interface QueuePlace {
  /** `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS. */
  readonly url: string;
  /** The name of the queue. Default `'rebatch'`. Those who enqueue and those who serve have to agree. */
  readonly name?: string;
  /** For how many milliseconds Redis may be gone before a call gives up. Default 60,000. */
  readonly patience?: number;
}

const address: Rule = {
  expected: ['an address like redis://host:6379'],
  allows: (value) =>
    typeof value === 'string' && URL.canParse(value) && /^rediss?:$/.test(new URL(value).protocol),
};
const queueName: Rule = {
  expected: ['a name of letters, digits, ".", "_" and "-"'],
  allows: (value) => typeof value === 'string' && /^[\w.-]{1,100}$/.test(value),
};
const rules: OptionRules<QueuePlace> = {
  url: required(address),
  name: queueName,
  patience: integer({ least: 1 }),
};

/** A place with nothing left to decide. */
export interface Place extends Required<QueuePlace> {
  /** For messages: without a password. */
  readonly shown: string;
  readonly connection: RedisOptions;
}

/** @throws {QueueError} for a place that is none. */
export function readPlace(who: string, place: QueuePlace): Place {
  checkOptions(who, place, rules, QueueError);
  const { url, name = 'rebatch', patience = 60_000 } = place;
  const { protocol, host, pathname } = new URL(url);
  return {
    ...{ url, name, patience },
    shown: `queue '${name}' at ${protocol}//${host}${pathname === '/' ? '' : pathname}`,
    // What is asked while Redis is away is asked again when it is back.
    connection: { url, maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(50 * times, 1000) },
  };
}

/**
 * What `work` resolves to, if Redis answers in time.
 *
 * @throws {RedisUnreachableError} if it does not.
 */
export async function inTime<T>(
  { shown, patience }: Place,
  work: Promise<T>,
  lastError?: () => Error | undefined,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = lastError?.()?.message;
      reject(
        new RedisUnreachableError(
          `The ${shown} has not answered for ${patience / 1000} s${reason ? ` (${reason})` : ''}. Start Redis there, or name ` +
            'another one. What was enqueued goes on when it is back and the same run is started again.',
        ),
      );
    }, patience);
  });
  try {
    // If it comes too late, nobody waits for it any more.
    work.catch(() => {});
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
