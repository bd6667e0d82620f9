// @ts-check
// Marks of neurons that learn nothing, hardly anything, or by steps that are too large.

const marks = (() => {
  const { train } = training.data;
  const EXPLODING = 100; // the length of the gradient of a neuron's weights
  const FLAT = 0.02; // a slope
  let room = 0;
  let place = 0;

  /** Compute the signals of all neurons for the training examples, and return where they begin in the memory. */
  function signals() {
    if (room < training.train.n) {
      room = training.room;
      place = training.reserve(room * shape.maxSignals);
      training.allocate();
    }
    training.show(training.train, place);
    return place;
  }

  /** @param {HTMLElement} element @param {string} name @returns {any} */
  const markOfNeuron = (element, name) => element.querySelector(`[data-mark="${name}"]`);

  /** @type {Record<string, (y: number) => number>} */
  const slopes = { tanh: (y) => 1 - y * y, sigmoid: (y) => y * (1 - y) };

  /** Mark hidden neurons whose slope is 0, or nearly, for the training examples, and neurons with a large gradient. */
  function draw() {
    try {
      signals();
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      return; // without these signals, the marks stay as they are
    }
    const { floats } = training;
    /** Whether a signal suits in all training examples except at most `most`. */
    const hasFewOthers = (/** @type {number} */ signal, /** @type {(x: number) => boolean} */ suits, /** @type {number} */ most) => {
      let others = 0;
      for (let i = 0; i < train.length; i++) {
        others += suits(floats[place + i * training.signals + signal]) ? 0 : 1;
        if (others > most) return false;
      }
      return true;
    };
    const weights = shape.layers.flat().map((neuron) => neuron.weights);
    for (const { element, a, z, layer } of network.neurons) {
      const name = shape.activationOf(layer);
      const isHidden = layer < shape.sizes.length - 1;
      const slope = isHidden ? slopes[name] : undefined;
      const isDead = isHidden && name === "relu" && hasFewOthers(a, (sum) => sum <= 0, 0);
      const isSaturated = !!slope && hasFewOthers(z, (y) => slope(y) < FLAT, 0.05 * train.length);
      const size = Math.hypot(...weights[a].map((w) => training.gradients[w]));
      markOfNeuron(element, "dead").hidden = !isDead;
      markOfNeuron(element, "saturated").hidden = !isSaturated;
      markOfNeuron(element, "exploding").hidden = size <= EXPLODING; // nan marks, too
    }
    explain();
  }

  /** Explain the mark of the enlarged neuron. */
  function explain() {
    const { selected } = shown;
    for (const words of all("[data-explains]")) {
      words.hidden = !selected || markOfNeuron(selected.element, words.dataset.explains).hidden;
    }
  }

  return { draw, explain, signals };
})();
