// @ts-check
// Marks of hidden neurons that learn nothing, or hardly anything.

const marks = (() => {
  const { train } = training.data;
  const signalsOfExamples = training.reserve(training.room * training.most.signals);
  training.allocate();

  /** @param {HTMLElement} element @param {string} name @returns {any} */
  const markOfNeuron = (element, name) => element.querySelector(`[data-mark="${name}"]`);

  /** Mark hidden neurons that learn nothing, because their slope is 0, or nearly, for the training examples. */
  function draw() {
    try {
      training.show(training.train, signalsOfExamples);
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      return; // without these signals, the marks stay as they are
    }
    for (const { element, a, z, layer } of network.neurons) {
      const name = shape.activationOf(layer);
      const numbers = (/** @type {number} */ k) => train.map((_, i) => {
        return training.floats[signalsOfExamples + i * training.signals + k];
      });
      const isHidden = layer < shape.sizes.length - 1;
      const flat = { tanh: (/** @type {number} */ y) => 1 - y * y, sigmoid: (/** @type {number} */ y) => y * (1 - y) }[name];
      const isDead = isHidden && name === "relu" && numbers(a).every((sum) => sum <= 0);
      const isSaturated = isHidden && !!flat && numbers(z).filter((y) => flat(y) < 0.02).length >= 0.95 * train.length;
      markOfNeuron(element, "dead").hidden = !isDead;
      markOfNeuron(element, "saturated").hidden = !isSaturated;
    }
    explain();
  }

  /** Say what the mark of the neuron in large means. */
  function explain() {
    const { selected } = shown;
    for (const words of all("[data-explains]")) {
      words.hidden = !selected || markOfNeuron(selected.element, words.dataset.explains).hidden;
    }
  }

  return { draw, explain };
})();
