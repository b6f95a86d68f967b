// What an adapter knows of its sites, frame by frame. On backends whose tensors the host can read at no cost it lies on
// the host, in float64; on others on the device, which then never has to wait for the host.
//
// For each site, with frames 1 ... t of k_i samples and moments (m_i, v_i), and decay d:
//
//     S_t = d S_(t-1) + k_t          Q_t = d^2 Q_(t-1) + k_t        from 0
//     a_t = k_t / S_t                n_t = S_t^2 / Q_t              w_t = n_t / (prior + n_t)
//     M_t = (1 - a_t) M_(t-1) + a_t m_t
//     V_t = (1 - a_t) V_(t-1) + a_t v_t + a_t (1 - a_t) (m_t - M_(t-1))^2
//
// M and V are the moments of the mixture of all frames with weights k_i d^(t-i) / S_t, which sum to 1 from the first frame
// on; V is a sum of terms that are not negative (West 1979). n is the effective number of samples (Kish 1965). What
// normalizes are (1 - w) source + w (M, V), each (Schneider et al. 2020, Sec. 3, with n_t for their n).
import type { ModelStatistics } from '@rebatch/models';
import type * as tf from '@tensorflow/tfjs-core';

export interface OnlineState {
  /** Begins a frame of so many samples. */
  begin(samples: number): void;
  /**
   * Takes in the moments of one application of a site.
   *
   * @param site its position among the model's.
   * @param moments [2, 1, channels], of the application's input.
   * @param values per channel in the input: the weight of applications of one site among each other.
   * @returns what is to normalize the application, [2, 1, channels]: with what is known of the frame so far.
   */
  take(site: number, moments: tf.Tensor3D, values: number): tf.Tensor3D;
  /** Ends the frame, which counts from now on, unless it was not finite. */
  finish(): void;
  /** Forgets the frame that was begun. */
  abort(): void;
  /**
   * The statistics that normalized the last frame that counts, or the source's of a site that was not applied. When it
   * resolves, it is known of all frames whether they count.
   */
  statistics(): Promise<ModelStatistics>;
  dispose(): void;
}

/** Called with the number of a frame that was left out, and the position of the first site that it was not finite at. */
export type ReportNonFinite = (frame: number, site: number) => void;
