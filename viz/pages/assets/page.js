// @ts-check
// The page: its data, its state, and the moment that it shows. Whatever else is on it listens to its events.

/**
 * @typedef {object} PageStep
 * @property {string} phase `forward`, `backward`, `tangent`, `update` or `again`, the second forward pass
 * @property {Action[]} actions
 * @property {string[]} lit the ids of the elements of the drawing to highlight
 * @property {string} focus the id of the node that the step is about; "" for none
 * @property {string[]} [edges] the id of the edge of each contribution
 *
 * @typedef {object} State Everything that the user can change, as plain data.
 * @property {number} step
 * @property {Record<string, number>} numbers the numbers that differ from Python's: of leaves, by node; others by name
 *
 * @typedef {{moment: Moment, previous: Moment | null, instantly: boolean}} Shown
 */

class Page {
  /** @param {any} data */
  constructor(data) {
    this.data = data;
    this.tape = new Tape(data.tape, RULES);
    /** @type {PageStep[]} */
    this.steps = data.steps;
    this.last = this.steps.length - 1;
    /** @type {State & Record<string, any>} */
    this.state = { step: 0, numbers: {} };
    /** @type {Moment | null} */
    this.shown = null;
    /** The operation at which the last change failed. @type {Trouble | null} */
    this.trouble = null;
    /** Set what the numbers of the leaves do not say, before step 0. @type {(moment: Moment) => void} */
    this.prepare = () => {};
    /** Whether the user may take a step; else something else happens. @type {(from: number, to: number) => boolean} */
    this.mayMove = () => true;
    /**
     * Parts of the state in the link that belong to others.
     * @type {Record<string, {save(): any, restore(x: any): void}>}
     */
    this.extras = {};
    /** The states before the changes, for `undo`. @type {State[]} */
    this.history = [];
    /** That of the last change. @type {object | null} */
    this.gesture = null;
    /** @type {Record<string, ((event: any) => void)[]>} */
    this.handlers = {};
  }

  /** What the page shows. */
  get moment() {
    return this.shown ?? this.momentAt(this.state.step);
  }

  /**
   * What is known after a step.
   * @param {number} step
   * @param {State} [state]
   */
  momentAt(step, state = this.state) {
    const moment = new Moment(this.tape);
    Object.assign(moment.numbers, this.data.numbers);
    for (const [name, x] of Object.entries(state.numbers)) {
      if (/^\d+$/.test(name)) moment.data[Number(name)] = x;
      else moment.numbers[name] = x;
    }
    this.prepare(moment);
    return runSteps(moment, this.steps, step);
  }

  /**
   * Call a function at each event: `show` after a step or a change, `trouble` when there is a new one or none any more, `quiz` when its state changed, `ask` before a question.
   * @param {"ready" | "show" | "trouble" | "view" | "quiz" | "ask"} name
   * @param {(event: any) => void} handler
   */
  on(name, handler) {
    (this.handlers[name] ??= []).push(handler);
  }

  /**
   * @param {string} name
   * @param {any} [event]
   */
  emit(name, event) {
    for (const handler of this.handlers[name] ?? []) handler(event);
  }

  /** Take a step, if it may be taken. @param {number} step */
  move(step) {
    const to = clamp(step, 0, this.last);
    if (this.mayMove(this.state.step, to)) this.show(to);
  }

  /**
   * Show a step. Everything on the page follows from its number and the numbers of the leaves.
   * @param {number} step
   * @param {{instantly?: boolean}} [options]
   */
  show(step, { instantly = false } = {}) {
    this.state.step = clamp(step, 0, this.last);
    const previous = this.shown;
    this.shown = this.momentAt(this.state.step);
    this.emit("show", { moment: this.shown, previous, instantly });
  }

  /**
   * Change the state. If an operation then has no value, the change is refused, and `trouble` says why.
   * @param {(state: State & Record<string, any>) => void} change
   * @param {object | null} [gesture] changes of one gesture, such as a drag, are undone together; null is not undone
   * @returns {boolean} whether the state changed
   */
  change(change, gesture = {}) {
    const [before, state] = [this.state, structuredClone(this.state)];
    change(state);
    try {
      this.momentAt(this.last, state);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.setTrouble(error);
      return false;
    }
    if (gesture && gesture !== this.gesture) this.history.push(before);
    if (gesture) this.gesture = gesture;
    this.state = state;
    this.setTrouble(null);
    this.show(state.step, { instantly: true });
    return true;
  }

  /**
   * Change one number.
   * @param {string | number} name a leaf, by its node, or the name of another number
   * @param {number} x
   * @param {object} [gesture]
   */
  setNumber(name, x, gesture) {
    const recorded = this.tape.nodes[Number(name)]?.data ?? this.data.numbers[name];
    return this.change((state) => {
      if (x === recorded) delete state.numbers[name];
      else state.numbers[name] = x;
    }, gesture);
  }

  /** @param {Trouble | null} trouble */
  setTrouble(trouble) {
    if (!trouble && !this.trouble) return;
    this.trouble = trouble;
    this.emit("trouble", trouble);
  }

  /** Take back the last change; the step stays. */
  undo() {
    const before = this.history.pop();
    this.gesture = null;
    if (before) this.change((state) => Object.assign(state, before, { step: state.step }), null);
  }

  /** Take back the changes of a gesture, if it is the last that changed anything. @param {object} gesture */
  cancel(gesture) {
    if (gesture === this.gesture) this.undo();
  }

  /** Go back to Python's numbers; the step stays. */
  reset() {
    this.change((state) => {
      state.numbers = {};
    });
  }

  /** The state as plain data, for a link. */
  save() {
    const extras = Object.entries(this.extras).map(([name, extra]) => [name, extra.save()]);
    return { ...this.state, ...Object.fromEntries(extras) };
  }

  /**
   * Take over a state from a link. Whatever is not understood is ignored, and what is missing is as in the file.
   * @param {any} saved
   */
  restore(saved) {
    if (typeof saved !== "object" || !saved) return;
    this.change((state) => {
      if (Number.isInteger(saved.step)) state.step = clamp(saved.step, 0, this.last);
      state.numbers = {};
      for (const [name, x] of Object.entries(saved.numbers ?? {})) {
        const node = /^(0|[1-9]\d*)$/.test(name) ? this.tape.nodes[Number(name)] : null;
        const isLeaf = node && node.rule === undefined && !node.constant;
        if ((isLeaf || Object.hasOwn(this.data.numbers ?? {}, name)) && Number.isFinite(x)) state.numbers[name] = x;
      }
    }, null);
    for (const [name, extra] of Object.entries(this.extras)) extra.restore(saved[name]);
  }
}

/**
 * An element of the page's own, whose id begins with `page-`.
 * @param {string} name
 * @returns {any}
 */
const part = (name) => document.getElementById(`page-${name}`);

/**
 * An element of the drawing.
 * @param {string} id
 * @returns {any}
 */
const drawn = (id) => document.getElementById(id);

const page = new Page(JSON.parse(part("data").textContent));
