// What can go wrong between a file and a model. Whatever it is, nothing was written and no tensor was made.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class ModelFileError extends RebatchError {}

/** The file is damaged, or contradicts itself. The message says where, and what would have been right. */
export class MalformedFileError extends ModelFileError {}

/** The file is whole, but of a kind, or with something in it, that cannot be opened. The message says how to convert it. */
export class UnsupportedFileError extends ModelFileError {}

/** The model has a layer, or a setting of one, that `tf.layers` lacks. The message names it and says what to do. */
export class UnsupportedLayerError extends UnsupportedFileError {}

/** The weights that were given are not those of the file: another name or shape, or a value that it cannot hold. */
export class WeightsError extends ModelFileError {}

/** The file claims to be larger than a limit of the options allows. The message names the limit. */
export class FileLimitError extends ModelFileError {}

/** The file or address could not be read at all: it is missing, or may not be read. */
export class FileAccessError extends ModelFileError {}

/** The model could not be written. Nothing was left behind, and what was there before still is. */
export class FileWriteError extends ModelFileError {}
