/** Where the trained model lies, from the page. A plain tf.layers model with stock batch normalization: it loads everywhere. */
export const DIGIT_MODEL_PATH = 'models/digits/model.json';
