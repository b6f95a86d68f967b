// import '@rebatch/leakage/register': from then on, tf.loadLayersModel and tf.models.modelFromJSON know the layers of this
// package. An import of its own, because it changes what others' code does.
