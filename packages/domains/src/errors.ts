// What can go wrong with statistics per domain. Whatever it is, model and bank are as they were before the call.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class DomainError extends RebatchError {}

/** A domain that a layer or bank does not have, or none where one is needed; the message lists those that there are. */
export class UnknownDomainError extends DomainError {}

/** A layer of several domains is configured or applied in a way that leaves open which domain an input is of. */
export class DomainLayerError extends DomainError {}

/** A statistics bank that cannot do what was asked: it is disposed, or no longer fits its model. */
export class StatisticsBankError extends DomainError {}

/** Bytes that are not a file of a statistics bank, are damaged, or are of another model. */
export class BankFileError extends DomainError {}

/** A reference that is none, or of another model. */
export class ReferenceMomentsError extends DomainError {}

/** An online adapter that cannot go on: it or its model is disposed. */
export class OnlineAdapterError extends DomainError {}
