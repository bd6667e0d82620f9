// @ts-check
// The history of the training: checkpoints, from which any of its steps is computed again, to the last bit.

/** The numbers and flags of a Training that a step reads or changes. @type {readonly (keyof Training)[]} */
const STEP_STATE = ["time", "batch", "optimizer", "steps", "epochs", "position", "isShuffled", "isPlain", "sum", "recent", "lowest"];
const MAX_BYTES = 48e6; // of all checkpoints

/**
 * @typedef {object} Checkpoint the state of a training before a step
 * @property {Record<string, any>} fields those of STEP_STATE
 * @property {Float64Array} weights
 * @property {Float64Array[]} state
 * @property {Record<string, Record<string, number>>} settings
 * @property {Int32Array} order
 * @property {{words: Uint32Array, place: number, spare: number | null}} rng
 * @property {StoredExamples} examples shared by all checkpoints with the same examples
 * @property {number} size the examples per step from here on
 * @property {boolean} isChange whether settings changed here; such a checkpoint is needed
 *
 * @typedef {{version: number, saved: any, rows: number[][]}} StoredExamples
 *   those of `dataset`, its state as it saves it, and the exact numbers of the rows
 */

class TrainingHistory {
  /** @param {Training} training */
  constructor(training) {
    this.training = training;
    /** @type {Checkpoint[]} */
    this.checkpoints = [];
    /** Steps between two checkpoints. */
    this.spacing = 16;
    /** The end of the training while an earlier step is shown. @type {Checkpoint | null} */
    this.end = null;
    /** The state before the step that is shown, after `goTo`. @type {Checkpoint | null} */
    this.before = null;
    /** The order of the examples in that step. @type {Int32Array} */
    this.batchOrder = new Int32Array(0);
    this.isReplaying = false;
    this.isChanged = true;
    /** The examples that `dataset` has, unless it has another version now. @type {StoredExamples} */
    this.examples = { version: NaN, saved: null, rows: [] };
    /** Called when later steps are dropped. */
    this.dropped = () => {};
  }

  /** The first step that can be shown. */
  get first() {
    return this.checkpoints[0]?.fields.time ?? this.training.time;
  }

  /** The last step. */
  get last() {
    return this.end?.fields.time ?? this.training.time;
  }

  /** Begin again, at the first weights. */
  begin() {
    this.checkpoints = [];
    this.spacing = 16;
    this.end = this.before = null;
    this.isChanged = true;
  }

  /** Note that the next step depends on a change; the steps after the one that is shown are dropped. */
  noteChange() {
    if (this.isReplaying) return;
    this.isChanged = true;
    this.drop();
  }

  /** Drop the steps after the one that is shown. */
  drop() {
    if (!this.end) return;
    this.end = null;
    this.checkpoints = this.checkpoints.filter(({ fields }) => fields.time <= this.training.time);
    this.dropped();
  }

  /** Make a checkpoint before a step if one is due. @param {number} size the examples of the step */
  beforeStep(size) {
    if (this.isReplaying) return;
    this.drop();
    const { time } = this.training;
    const last = this.checkpoints[this.checkpoints.length - 1];
    const isChange = this.isChanged || size !== last?.size;
    if (!isChange && time < last.fields.time + this.spacing) return;
    if (last?.fields.time === time) this.checkpoints.pop();
    this.checkpoints.push(this.checkpoint(size, isChange));
    this.isChanged = false;
    const [{ weights, state, order }] = this.checkpoints;
    const bytes = 8 * weights.length * (1 + state.length) + 4 * order.length + 4000;
    if (this.checkpoints.length * bytes > MAX_BYTES) this.thin(MAX_BYTES / bytes);
  }

  /** Double the steps between checkpoints; if few are left out by it, forget the first ones. @param {number} most */
  thin(most) {
    this.spacing *= 2;
    this.checkpoints = this.checkpoints.filter(({ isChange }, i) => isChange || i % 2 === 0);
    if (this.checkpoints.length > 0.75 * most) this.checkpoints.splice(0, this.checkpoints.length >> 1);
  }

  /**
   * @param {number} size
   * @param {boolean} isChange
   * @returns {Checkpoint}
   */
  checkpoint(size, isChange) {
    const { training } = this;
    return {
      fields: Object.fromEntries(STEP_STATE.map((name) => [name, training[name]])),
      weights: training.weights.slice(),
      state: training.state.map((numbers) => numbers.slice()),
      settings: structuredClone(training.settings),
      order: training.order.slice(),
      rng: structuredClone({ ...training.rng }),
      examples: this.storeExamples(),
      size,
      isChange,
    };
  }

  storeExamples() {
    const { version } = dataset;
    if (this.examples.version === version) return this.examples;
    this.examples = { version, saved: dataset.save(), rows: structuredClone(this.training.data.train) };
    return this.examples;
  }

  /** @param {StoredExamples} examples */
  restoreExamples(examples) {
    if (examples === this.examples && examples.version === dataset.version) return;
    dataset.restore(examples.saved);
    this.training.data.train.forEach((row, i) => Object.assign(row, examples.rows[i])); // without the rounding of noise
    this.training.readExamples();
    this.examples = examples;
    examples.version = dataset.version;
  }

  /**
   * Go back to a checkpoint. The gradients stay those of the last step.
   * @param {Checkpoint} checkpoint
   */
  restore({ fields, weights, state, settings, order, rng, examples }) {
    const { training } = this;
    if (training.optimizer !== fields.optimizer) {
      training.optimizer = fields.optimizer;
      training.clearState();
    }
    Object.assign(training.rng, structuredClone(rng));
    Object.assign(training.settings, structuredClone(settings));
    training.weights.set(weights);
    training.state = state.map((numbers) => numbers.slice());
    this.restoreExamples(examples);
    Object.assign(training, fields);
    training.order.set(order);
  }

  /**
   * Compute the training as it was after a step, with the gradients of that step; those of step 0 are 0.
   * @param {number} time
   */
  goTo(time) {
    const { training } = this;
    this.end ??= this.checkpoint(0, false);
    const { end, checkpoints, first } = this;
    time = clamp(time, first, end.fields.time);
    this.before = null;
    training.gradients.fill(0);
    this.isReplaying = true;
    if (time > first) {
      const start = checkpoints.findLast(({ fields }) => fields.time < time) ?? checkpoints[0];
      this.restore(start);
      while (training.time < time - 1) training.step(start.size);
      this.before = this.checkpoint(start.size, false);
      training.step(start.size);
      this.batchOrder = training.order.slice();
    } else if (checkpoints.length) {
      this.restore(checkpoints[0]);
    }
    if (time === end.fields.time) {
      this.restore(end);
      this.end = null;
    }
    this.isReplaying = false;
  }
}
