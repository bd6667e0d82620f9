// @ts-check
// Marks of neurons that learn nothing, hardly anything, or by steps that are too large.

const marks = (() => {
  const { train } = training.data;
  const EXPLODING = 100; // the length of the gradient of a neuron's weights
  const FLAT = 0.02; // a slope
  /** The slopes of activations that saturate, at an output. @type {Record<string, (y: number) => number>} */
  const slopes = { tanh: (y) => 1 - y * y, sigmoid: (y) => y * (1 - y) };
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

  /** @param {HTMLElement} element of a neuron @returns {any[]} */
  const marksOf = (element) => [...element.querySelectorAll("[data-mark]")];

  /** Whether a signal suits in all training examples except some. */
  const hasFewOthers = (/** @type {number} */ signal, /** @type {(x: number) => boolean} */ suits, others = 0) => {
    for (let i = 0; i < train.length && others >= 0; i++) {
      if (!suits(training.floats[place + i * training.signals + signal])) others -= 1;
    }
    return others >= 0;
  };

  /** Mark hidden neurons whose slope is 0, or nearly, for the training examples, and neurons with a large gradient. */
  function draw() {
    if (!succeeds(signals)) return; // without these signals, the marks stay as they are
    const weights = shape.layers.flat().map((neuron) => neuron.weights);
    for (const { element, a, z, layer } of network.neurons) {
      const isHidden = layer < shape.sizes.length - 1;
      const activation = shape.activationOf(layer);
      const slope = slopes[activation];
      const size = Math.hypot(...weights[a].map((w) => training.gradients[w]));
      /** @type {Record<string, boolean>} */
      const marked = {
        dead: isHidden && activation === "relu" && hasFewOthers(a, (sum) => sum <= 0),
        saturated: isHidden && !!slope && hasFewOthers(z, (y) => slope(y) < FLAT, Math.floor(0.05 * train.length)),
        exploding: !(size <= EXPLODING), // nan marks, too
      };
      for (const mark of marksOf(element)) mark.hidden = !marked[mark.dataset.mark];
    }
    explain();
  }

  /** Explain the marks of the enlarged neuron. */
  function explain() {
    const visible = shown.selected ? marksOf(shown.selected.element).filter(({ hidden }) => !hidden) : [];
    showOnly("explains", ...visible.map((mark) => mark.dataset.mark));
  }

  return { draw, explain, signals };
})();
