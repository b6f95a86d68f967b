import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { fetchFile } from '../data/fetch-file.ts';
import { pageUrl } from '../data/page-url.ts';

/**
 * Loads a trained model that ships with the page: worker side. The caller disposes it.
 *
 * @throws (rejects) if its files cannot be fetched.
 */
export async function loadPageModel(path: string): Promise<tfl.LayersModel> {
  return tfl.loadLayersModel(
    tf.io.http(pageUrl(path).href, {
      fetchFunc: (from: URL | RequestInfo) =>
        fetchFile(new URL(from instanceof Request ? from.url : from), 'trained model'),
    }),
  );
}
