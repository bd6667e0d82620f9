// @ts-check
// The shape of the network: its layers, the numbers of its weights, and how the first ones are drawn.

const MAX_LAYERS = 6; // hidden layers
const MAX_NEURONS = 16; // in a hidden layer

/**
 * @typedef {{scheme: string, seed: number}} WeightSource the scheme is "" for that of each layer
 *
 * @typedef {object} ShapeData
 * @property {number[]} sizes the number of inputs, then of the neurons of each layer
 * @property {string} hidden the activation of the hidden layers; "several" if they differ
 * @property {string} output that of the output layer
 * @property {NeuronPlan[][] | null} layers null for a stack of layers, which can have other sizes
 * @property {Record<string, number>} activations the forms of activations
 * @property {string[]} choices the activations that the hidden layers can have
 * @property {Record<string, string>} schemes the scheme by which `nn` draws the weights, by the activation of a layer
 * @property {string[]} names of the parameters
 */

class Shape {
  /** @param {ShapeData} data that of the model of the page */
  constructor(data) {
    this.data = data;
    this.sizes = [...data.sizes];
    this.inputs = data.sizes[0];
    this.outputs = data.sizes[data.sizes.length - 1];
    this.hidden = data.hidden;
    /** The source of the first weights; null for those of the model. @type {WeightSource | null} */
    this.source = null;
  }

  /** The activation of a layer, from 1; "several" if those of its neurons differ. @param {number} layer */
  activationOf(layer) {
    return layer < this.sizes.length - 1 ? this.hidden : this.data.output;
  }

  /** The number of neurons in every hidden layer. */
  get hiddenSizes() {
    return this.sizes.slice(1, -1);
  }
  set hiddenSizes(sizes) {
    this.sizes = [this.inputs, ...sizes, this.outputs];
  }

  /** The most neurons that the hidden layers can have. */
  get maxSizes() {
    const recorded = this.data.sizes.slice(1, -1);
    if (this.data.layers) return recorded;
    const n = Math.max(MAX_LAYERS, recorded.length);
    return Array.from({ length: n }, (_, k) => Math.max(MAX_NEURONS, recorded[k] ?? 0));
  }

  /** The most signals of a shape: the weighted sums and the outputs of all neurons. */
  get maxSignals() {
    return 2 * this.maxSizes.reduce((sum, n) => sum + n, this.outputs);
  }
  /** The most parameters of a shape. */
  get maxParameters() {
    const sizes = [this.inputs, ...this.maxSizes, this.outputs];
    return sizes.slice(1).reduce((sum, n, k) => sum + n * (sizes[k] + 1), 0);
  }

  get hasRecordedSizes() {
    return String(this.sizes) === String(this.data.sizes);
  }
  /** Whether the shape is still that of the model that Python wrote. */
  get isRecorded() {
    return this.hasRecordedSizes && this.hidden === this.data.hidden;
  }

  /** The neurons of every layer. */
  get layers() {
    const { activations, layers } = this.data;
    let weight = 0;
    return this.sizes.slice(1).map((n, k) => Array.from({ length: n }, (_, j) => {
      const own = layers?.[k][j];
      const isChanged = k < this.sizes.length - 2 && this.hidden !== this.data.hidden;
      return {
        activation: own && !isChanged ? own.activation : activations[this.activationOf(k + 1)],
        weights: own?.weights ?? Array.from({ length: this.sizes[k] + 1 }, () => weight++),
      };
    }));
  }

  /** The names of the parameters. */
  get names() {
    if (this.hasRecordedSizes) return this.data.names;
    return this.sizes.slice(1).flatMap((n, k) => {
      const comma = Math.max(this.sizes[k], n) > 9 ? "," : "";
      const indices = (/** @type {number} */ length) => Array.from({ length }, (_, i) => i);
      return indices(n).flatMap((j) => indices(this.sizes[k] + 1).map((i) => `layer${k + 1}.w${j + 1}${comma}${i}`));
    });
  }

  /**
   * Draw first weights, as the model does with this seed.
   * @param {WeightSource} source
   */
  draw({ scheme, seed }) {
    const rng = new Random(seed);
    return this.sizes.slice(1).flatMap((n, k) => {
      const weights = SCHEMES[scheme || this.data.schemes[this.activationOf(k + 1)]];
      return Array.from({ length: n }, () => weights(rng, this.sizes[k], n)).flat();
    });
  }
}
