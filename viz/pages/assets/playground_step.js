// @ts-check
// A step of the training in close-up: each weight, and what each example of the batch contributed to its gradient.

/**
 * @typedef {object} CloseUp
 * @property {number} time
 * @property {Checkpoint} before
 * @property {Float64Array} after the weights after the step
 * @property {Float64Array[]} state that of the optimizer after it
 * @property {Float64Array} gradients of the mean loss of the batch
 * @property {number[]} batch the examples by their numbers
 * @property {number[][]} rows all examples at that step
 * @property {Record<string, number>} settings of the optimizer, and its number of steps
 *
 * @typedef {object} Connection a weight's place in the network
 * @property {number} layer 1, 2, ...
 * @property {number} neuron the neuron that it leads to, counted in its layer
 * @property {number} source 0 for the bias, else the input or the neuron of the layer before, counted from 1
 * @property {number} bias the bias weight of the same neuron
 * @property {boolean} isShared whether other neurons have the weight too
 *
 * @typedef {{delta: number, signal: number, product: number, loss: number}} Term what an example contributes
 */

const stepData = (() => {
  const row = training.place(1);
  const order = training.reserve(1); // 0, the number of the only row
  const signals = training.reserve(shape.maxSignals);
  training.allocate();

  /** The step that led to what is shown; null at the first weights. @returns {CloseUp | null} */
  function take() {
    const { history, time } = training;
    if (time === history.first) return null;
    history.goTo(time);
    const before = /** @type {Checkpoint} */ (history.before);
    const { position, optimizer } = before.fields;
    const { rows } = before.examples; // which may have changed since
    const count = Math.min(before.size, rows.length - position);
    return {
      time, before, rows, settings: { ...before.settings[optimizer], steps: before.fields.steps + 1 },
      after: training.weights.slice(), gradients: training.gradients.slice(),
      state: training.state.map((numbers) => numbers.slice()),
      batch: Array.from(history.batchOrder.subarray(position, position + count)),
    };
  }

  /** @param {number} weight @returns {Connection} */
  function connection(weight) {
    const places = shape.layers.flatMap((neurons, k) => neurons.flatMap(({ weights }, neuron) => {
      const source = weights.indexOf(weight);
      return source < 0 ? [] : [{ layer: k + 1, neuron, source, bias: weights[0] }];
    }));
    return { ...places[0], isShared: places.length > 1 };
  }

  /** The number of neurons in the layers before a layer. @param {number} layer */
  const neuronsBefore = (layer) => shape.sizes.slice(1, layer).reduce((sum, n) => sum + n, 0);

  /**
   * What the examples of the batch contribute to the gradient of a weight, and their losses.
   * @param {CloseUp} step
   * @param {number} weight
   * @returns {Term[]}
   */
  function terms({ before, batch, rows, after, gradients }, weight) {
    const { layer, source, bias } = connection(weight);
    const { code, floats } = training;
    training.weights.set(before.weights);
    const result = batch.map((i) => {
      floats.set(rows[i], row.place);
      training.gradients.fill(0);
      const loss = code.learn(8 * row.place, 8 * order, 1, 1);
      let signal = 1;
      if (source > 0 && layer === 1) {
        signal = rows[i][source - 1];
      } else if (source > 0) {
        training.show(row, signals);
        signal = floats[signals + neuronsBefore(shape.sizes.length) + neuronsBefore(layer - 1) + source - 1];
      }
      return { delta: training.gradients[bias], signal, product: training.gradients[weight], loss };
    });
    training.weights.set(after);
    training.gradients.set(gradients);
    return result;
  }

  /**
   * The neurons to which a neuron leads, with the weight, its number and their delta for an example.
   * @param {CloseUp} step
   * @param {number} layer of the neuron
   * @param {number} neuron
   * @param {number} example
   */
  function receivers(step, layer, neuron, example) {
    const next = shape.layers[layer] ?? [];
    return next.map(({ weights }) => {
      const weight = weights[neuron + 1];
      return { weight, w: step.before.weights[weight], delta: terms({ ...step, batch: [example] }, weight)[0].delta };
    });
  }

  /** A name such as z2; in a network of several hidden layers with the number of its layer. @param {number} layer @param {number} i */
  function neuronName(layer, i) {
    const isLast = layer === shape.sizes.length - 1;
    if (isLast) return shape.sizes[layer] > 1 ? `y${i}` : "y";
    const mark = shape.sizes.length > 3 ? `⁽${[...String(layer)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}⁾` : "";
    return `z${mark}${i}`;
  }

  /** The names of the two ends of a weight. @param {number} weight */
  function ends(weight) {
    const { layer, neuron, source } = connection(weight);
    const from = layer === 1 ? dataset.names.inputs[source - 1] : neuronName(layer - 1, source);
    return { source: source ? from : "1", receiver: neuronName(layer, neuron + 1) };
  }

  return { take, terms, receivers, connection, ends, neuronsBefore };
})();
