// What the station's page and its tasks in the worker exchange: options, controls, events and results.

import type { LeakageReport } from '@rebatch/leakage';
import type { ErrorPoint } from '../../training/three-errors.ts';

/** Devices that train together, and the digits that each is given: a class, one device. */
export const DEVICES = 8;
export const PER_DEVICE = 16;
export const BATCH = DEVICES * PER_DEVICE;
/** Pixels of a side of what is seen of each digit, of 28. */
export const KEYHOLE = 10;

/** Which digits of a batch are normalized together. */
export type Scheme = 'apart' | 'ghost' | 'shuffle' | 'sync';

export interface SchemeText {
  readonly name: Scheme;
  readonly short: string;
  readonly explanation: string;
}

export const SCHEMES: readonly SchemeText[] = [
  {
    name: 'apart',
    short: 'None',
    explanation:
      'Every device normalizes its own 16 digits. They share a class, so their statistics give the label away.',
  },
  {
    name: 'ghost',
    short: 'Ghost',
    explanation: 'Ghost BN with strided groups: as small as before, but each takes digits from every device.',
  },
  {
    name: 'shuffle',
    short: 'Shuffle',
    explanation:
      'The digits are shuffled across the groups before the network and put back in order after it.',
  },
  {
    name: 'sync',
    short: 'Sync',
    explanation: 'SyncBN: the devices exchange their statistics and normalize all 128 digits together.',
  },
];

export interface TrainOptions {
  readonly seed: number;
  readonly steps: number;
  readonly measureEvery: number;
  /** Batches that each error is measured on. */
  readonly evaluation: number;
  /** Digits that the audit groups and regroups. */
  readonly audited: number;
}

export interface TrainLive {
  readonly scheme: Scheme;
  /** How often an audit was asked for by now. */
  readonly audits: number;
}

export interface PointEvent extends ErrorPoint {
  readonly kind: 'point';
  /** Mean over the steps since the point before. */
  readonly loss: number;
  readonly scheme: Scheme;
}

export interface AuditEvent {
  readonly kind: 'audit';
  readonly step: number;
  readonly scheme: Scheme;
  readonly report: LeakageReport;
}

export type TrainEvent = PointEvent | AuditEvent;

/** A batch as the devices get it, device by device. */
export interface Batch {
  /** 28 x 28 gray values of each digit, one after the other. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}
