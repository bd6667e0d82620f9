// @ts-check
// The training: the steps of `nn.train`, computed by WebAssembly.

/**
 * @typedef {{learn: (rows: number, order: number, n: number, seed: number) => number,
 *   evaluate: (rows: number, n: number, out: number) => void,
 *   show: (rows: number, n: number, out: number) => void}} Functions see playground_code.js
 *
 * @typedef {{n: number, place: number}} Part examples in the memory, from a place on, counted in floats
 *
 * @typedef {object} TrainingData
 * @property {number[]} weights the first ones
 * @property {number[][]} train a row for each example: its inputs, then the numbers of its target
 * @property {number[][]} test
 * @property {number} inputs the number of inputs
 * @property {number} outputs the number of outputs
 * @property {"hinge" | "binary" | "classes" | "number"} task when an output is right
 * @property {number} batch
 * @property {number} seed
 * @property {string} optimizer
 * @property {TrainingCode} code
 * @property {number[][]} state the state of the optimizer, an array for each name
 * @property {number} steps the number of its steps
 * @property {Record<string, Record<string, number>>} settings of each optimizer
 */

const PATIENCE = 20; // epochs without progress
const MAX_ADDED = 500; // examples, before the memory grows

class Training {
  /** The memory: parameters, gradients, and what was reserved. */
  floats = new Float64Array(0);
  weights = this.floats;
  parameters = 0;
  gradients = this.floats;
  /** How many numbers `show` writes for a row. */
  signals = 0;
  /** The examples of this epoch by their numbers. */
  order = new Int32Array(0);
  rng = new Random(0);
  epochs = 0;
  /** The number of examples of this epoch that have been used. */
  position = 0;
  isShuffled = false;
  /** The sum of their losses. */
  sum = 0;
  /** The mean losses of the last epochs, each loss measured just before its step, as in an `nn.History`. @type {number[]} */
  recent = [];
  lowest = Infinity; // the lowest loss of the epochs before those
  /** Whether the training so far is that of the present settings from the first weights on. */
  isPlain = true;
  /** The steps since the first weights. */
  time = 0;
  /** The steps of the optimizer. */
  steps = 0;
  /** The state of the optimizer. @type {Float64Array[]} */
  state = [];
  /** Room for the weights and the state after a step. @type {Float64Array[]} */
  next = [];
  history = new TrainingHistory(this);

  /**
   * @param {TrainingData} data
   * @param {Shape} shape
   */
  constructor(data, shape) {
    this.data = data;
    this.shape = shape;
    this.width = data.train[0].length;
    this.memory = new WebAssembly.Memory({ initial: 1 });
    this.end = 2 * shape.maxParameters;
    this.train = this.test = { n: 0, place: 0 };
    this.room = this.results = this.orderPlace = 0;
    this.reserveExamples(data.train.length + data.test.length + MAX_ADDED);
    this.code = this.build();
    this.readExamples();
    this.settings = structuredClone(data.settings);
    this.optimizer = data.optimizer;
    this.batch = data.batch;
    this.reset();
  }

  /**
   * Reserve floats at the end of the memory, and return where they begin.
   * @param {number} n
   */
  reserve(n) {
    const place = this.end;
    this.end += n;
    return place;
  }

  /**
   * Reserve rows at the end of the memory.
   * @param {number} n
   * @returns {Part}
   */
  place(n) {
    return { n, place: this.reserve(n * this.width) };
  }

  /** Reserve rows for both parts of the examples, and what goes with each. @param {number} room */
  reserveExamples(room) {
    this.room = room;
    this.train = this.place(room);
    this.test = this.place(room);
    this.orderPlace = 8 * this.reserve(Math.ceil(room / 2));
    this.results = this.reserve(room * (1 + this.data.outputs));
  }

  /** Grow the memory to all that is reserved. */
  allocate() {
    const missing = Math.ceil((8 * this.end - this.memory.buffer.byteLength) / 65536);
    if (missing > 0) this.memory.grow(missing);
    this.floats = new Float64Array(this.memory.buffer);
    this.weights = this.floats.subarray(0, this.parameters);
    this.gradients = this.floats.subarray(this.shape.maxParameters, this.shape.maxParameters + this.parameters);
    this.order = new Int32Array(this.memory.buffer, this.orderPlace, this.train.n);
  }

  /** Train and test with the examples of `data` from now on; the epoch begins again. */
  readExamples() {
    const { train, test } = this.data;
    this.noteChange();
    if (train.length + test.length > this.room) this.reserveExamples(2 * (train.length + test.length));
    [this.train.n, this.test.n] = [train.length, test.length];
    this.allocate();
    train.forEach((row, i) => this.floats.set(row, this.train.place + i * this.width));
    test.forEach((row, i) => this.floats.set(row, this.test.place + i * this.width));
    this.beginEpoch();
  }

  beginEpoch() {
    this.order.set([...this.order.keys()]);
    this.position = 0;
    this.isShuffled = false;
    this.sum = 0;
  }

  /** Return the code of the present shape; the weights are as many as it has. */
  build() {
    const graph = graphOf(this.data.code, this.shape.layers, this.data.inputs);
    const bytes = trainingModule(this.data.code, graph, this.width, this.shape.maxParameters);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: this.memory }, math });
    this.parameters = this.shape.names.length;
    this.signals = graph.signals.length;
    this.allocate();
    return /** @type {Functions} */ (/** @type {unknown} */ (exports));
  }

  /** Go back to the first weights and the first epoch. */
  reset() {
    this.weights.set(this.data.weights);
    this.gradients.fill(0);
    this.restart();
    if (this.shape.hasRecordedSizes && this.optimizer === this.data.optimizer) {
      this.state = this.data.state.map((numbers) => Float64Array.from(numbers));
      this.steps = this.data.steps;
    }
  }

  /** Begin the first epoch, with the weights as they are. */
  restart() {
    this.rng = new Random(this.data.seed);
    this.beginEpoch();
    this.epochs = this.time = 0;
    this.recent = [];
    this.lowest = Infinity;
    this.isPlain = this.data.steps === 0;
    this.clearState();
    this.history.begin();
  }

  /**
   * Go on from the weights and the optimizer of a link; the epoch begins, in the first order of the seed.
   * @param {Progress} progress
   */
  resume({ time, epochs, steps, weights, state }) {
    this.restart();
    this.weights.set(weights);
    Object.assign(this, { time, epochs, steps, isPlain: false, state: state.map((numbers) => Float64Array.from(numbers)) });
  }

  clearState() {
    const { states } = UPDATES[this.optimizer];
    this.state = Array.from({ length: states }, () => new Float64Array(this.parameters));
    this.steps = 0;
    this.next = Array.from({ length: states + 1 }, () => new Float64Array(this.parameters));
  }

  /** Note that a setting changes; a program repeats only a training that did not change. */
  noteChange() {
    this.history.noteChange();
    if (this.epochs > 0 || this.position > 0) this.isPlain = false;
  }

  /**
   * Use another optimizer from now on; its state begins at 0.
   * @param {string} name
   */
  choose(name) {
    this.noteChange();
    this.optimizer = name;
    this.clearState();
  }

  /**
   * One step of gradient descent by the next examples of the epoch. On an error, nothing changes.
   * @param {number} size
   */
  step(size = this.batch) {
    const { n, place } = this.train;
    this.history.beforeStep(size);
    if (!this.isShuffled && this.batch < n) this.rng.shuffle(this.order);
    this.isShuffled = true;
    const count = Math.min(size, n - this.position);
    if (count < Math.min(this.batch, n - this.position)) this.isPlain = false;
    this.gradients.fill(0);
    const loss = this.code.learn(8 * place, this.orderPlace + 4 * this.position, count, 1 / count);
    if (!Number.isFinite(loss)) throw new NoValue("overflow");
    const settings = { ...this.settings[this.optimizer], steps: this.steps + 1 };
    if (!UPDATES[this.optimizer].update(this.weights, this.gradients, this.state, this.next, settings)) {
      throw new NoValue("overflow");
    }
    const [weights, ...state] = this.next;
    this.weights.set(weights);
    this.next = [weights, ...this.state];
    this.state = state;
    this.steps += 1;
    this.time += 1;
    this.sum += loss;
    this.position += count;
    if (this.position < n) return;
    const losses = [...this.recent, this.sum / n];
    this.recent = losses.slice(-PATIENCE);
    this.lowest = Math.min(this.lowest, ...losses.slice(0, -PATIENCE));
    this.epochs += 1;
    this.position = 0;
    this.isShuffled = false;
    this.sum = 0;
  }

  /** The steps that remain of this epoch. */
  epoch() {
    const { epochs } = this;
    while (this.epochs === epochs) this.step();
  }

  /** Whether the loss has not fallen by 0.0001 in the last 20 epochs: the criterion of `nn.plateau()`. */
  hasConverged() {
    return Math.min(...this.recent) > this.lowest - 1e-4;
  }

  /**
   * The mean loss and the share of right outputs of a part of the examples; null for what it does not have.
   * @param {Part} part
   * @returns {{loss: number | null, accuracy: number | null}}
   */
  evaluate({ n, place }) {
    if (n === 0) return { loss: null, accuracy: null };
    const { inputs, outputs, task } = this.data;
    this.code.evaluate(8 * place, n, 8 * this.results);
    let [loss, rights] = [0, 0];
    for (let i = 0; i < n; i++) {
      const at = this.results + i * (1 + outputs);
      loss += this.floats[at];
      const output = this.floats.subarray(at + 1, at + 1 + outputs);
      const target = this.floats.subarray(place + i * this.width + inputs, place + (i + 1) * this.width);
      rights += share(output, target, task);
    }
    return { loss: loss / n, accuracy: task === "number" ? null : rights / n };
  }

  /**
   * The signals of all neurons for rows in the memory.
   * @param {Part} part
   * @param {number} out where to write them, counted in floats
   */
  show({ n, place }, out) {
    this.code.show(8 * place, n, 8 * out);
  }
}

/**
 * The share of outputs that are right, as `nn.evaluate` counts them.
 * @param {Float64Array} output
 * @param {Float64Array} target
 * @param {string} task
 */
function share(output, target, task) {
  if (task === "classes") return largest(output) === largest(target) ? 1 : 0;
  const border = task === "binary" ? 0.5 : 0;
  return output.reduce((sum, y, k) => sum + (y > 0 === target[k] > border ? 1 : 0), 0) / output.length;
}

/**
 * The index of the first of the largest numbers.
 * @param {Float64Array | number[]} numbers
 */
function largest(numbers) {
  let best = 0;
  for (let k = 1; k < numbers.length; k++) if (numbers[k] > numbers[best]) best = k;
  return best;
}

/** Run a computation, and return whether all its operations have a value. @param {() => void} compute */
function succeeds(compute) {
  try {
    compute();
    return true;
  } catch (error) {
    if (error instanceof NoValue) return false;
    throw error;
  }
}
