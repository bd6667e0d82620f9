// @ts-check
// The engine: a recorded graph computed again, forward and backward, in the order and with the rounding of Python's.

/**
 * @typedef {object} Row A row of the table, from engine/languages.py.
 * @property {string} symbol
 * @property {(...numbers: number[]) => number} value of the operands; in an operation on lists, of one term
 * @property {((...numbers: number[]) => number)[]} partials of the operands and the value
 * @property {(total: number, top: number) => number} [finalize] of an operation on lists
 *
 * @typedef {object} TapeNode
 * @property {number} [rule] the number of its row; a leaf or a constant has none
 * @property {number[]} [a] the first operand, or the first list of operands
 * @property {number[]} [b] the second
 * @property {boolean} [constant] whether it takes no gradient
 * @property {number} data as Python recorded it
 * @property {number} grad as Python computed it, from 0
 * @property {string} name
 *
 * @typedef {object} Contribution What a node passes back to an operand.
 * @property {number} node
 * @property {number} parent the operand
 * @property {number} local the local derivative
 * @property {number} amount the gradient of `node` times `local`
 * @property {number} before the gradient of `parent` before it
 * @property {number} total and after it
 * @property {number} [incoming] in forward mode, where `amount` goes to `node`: the tangent of `parent`
 *
 * @typedef {[string, ...any[]]} Action the name of a function of ACTIONS, and its arguments
 */

/**
 * An operation at which the computation stopped. `kind` is that of NoValue, `derivative-N` for
 * the derivative with respect to node N, or `gradient` for a gradient that overflows.
 */
class Trouble extends Error {
  /**
   * @param {number} node
   * @param {string} kind
   * @param {Moment} moment with the numbers at which it stopped
   */
  constructor(node, kind, moment) {
    super(`${kind} at node ${node}`);
    this.node = node;
    this.kind = kind;
    this.moment = moment;
  }
}

/** A recorded graph: its nodes, each after its operands. Nothing in it changes. */
class Tape {
  /**
   * @param {{nodes: TapeNode[], root: number}} data
   * @param {Row[]} rows
   */
  constructor(data, rows) {
    this.nodes = data.nodes;
    this.root = data.root;
    this.rows = rows;
    /** The numbers of the nodes that operations compute. */
    this.inner = [...data.nodes.keys()].filter((i) => data.nodes[i].rule !== undefined);
    /** The operands of each node, term by term. */
    this.terms = data.nodes.map(({ a = [], b }) => a.map((x, i) => (b ? [x, b[i]] : [x])));
  }
}

/** The numbers known after a step. They are never stored, since they follow from those of the leaves. */
class Moment {
  /** @param {Tape} tape */
  constructor(tape) {
    const n = tape.nodes.length;
    this.tape = tape;
    this.step = 0;
    this.data = Float64Array.from(tape.nodes, (node) => node.data);
    this.grad = new Float64Array(n);
    /** 1 for the nodes whose data is known at this step. */
    this.known = Uint8Array.from(tape.nodes, (node) => (node.constant ? 1 : 0));
    /** 1 for the nodes whose gradient has received something. */
    this.reached = new Uint8Array(n);
    /** In forward mode, whose `grad` are tangents, 1 for the nodes that depend on the input. */
    this.dependent = new Uint8Array(n);
    /** Those of this step. @type {Contribution[]} */
    this.contributions = [];
    /** The number of the row of each node. */
    this.rules = tape.nodes.map((node) => node.rule ?? -1);
    /** Numbers that are not of nodes, such as `rate`. @type {Record<string, number>} */
    this.numbers = {};
    /** The data before an update. */
    this.old = this.data;
  }

  /** The row of the table with which a node is computed. @param {number} i */
  row(i) {
    return this.tape.rows[this.rules[i]];
  }

  /** The value of a node from the data of its operands. @param {number} i */
  evaluate(i) {
    const row = this.row(i);
    const terms = this.tape.terms[i].map((term) => term.map((x) => this.data[x]));
    return this.attempt(i, () => {
      let result;
      if (row.finalize) {
        const top = terms.reduce((most, [x]) => (x > most ? x : most), -Infinity);
        let total = 0;
        for (const term of terms) total += row.value(...term, top);
        result = row.finalize(total, top);
      } else {
        result = row.value(...terms[0]);
      }
      if (!Number.isFinite(result)) throw new NoValue("overflow");
      return result;
    });
  }

  /**
   * The local derivatives of a node, with the operand of each.
   * @param {number} i
   * @param {Uint8Array} [wanted] 1 for the operands to use; by default all
   */
  locals(i, wanted) {
    const { tape: { nodes, terms }, data } = this;
    /** @type {[parent: number, local: number][]} */
    const locals = [];
    for (const term of terms[i]) {
      const numbers = [...term, i].map((x) => data[x]);
      for (const [k, x] of term.entries()) {
        if (nodes[x].constant || wanted?.[x] === 0) continue;
        locals.push([x, this.attempt(i, () => this.row(i).partials[k](...numbers), `derivative-${x}`)]);
      }
    }
    return locals;
  }

  /**
   * Add an amount to the derivative of a node.
   * @param {number} i
   * @param {number} amount
   * @param {string} kind of the trouble if it overflows
   */
  accumulate(i, amount, kind) {
    const before = this.grad[i];
    const total = before + amount;
    if (!Number.isFinite(total)) throw new Trouble(i, kind, this);
    this.grad[i] = total;
    this.reached[i] = 1;
    return { amount, before, total };
  }

  /**
   * Compute a number of a node.
   * @param {number} node
   * @param {() => number} compute
   * @param {string} [kind] of the trouble if it has no value; by default that of the error
   */
  attempt(node, compute, kind) {
    try {
      return compute();
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      throw new Trouble(node, kind ?? error.kind, this);
    }
  }
}

/**
 * What a step may do.
 * @type {Record<string, (moment: Moment, ...args: any[]) => void>}
 */
const ACTIONS = {
  /** Leaves appear. */
  appear(moment, ...leaves) {
    for (const i of leaves) moment.known[i] = 1;
  },
  /** Operations compute their values. */
  forward(moment, ...nodes) {
    for (const i of nodes) {
      moment.data[i] = moment.evaluate(i);
      moment.known[i] = 1;
    }
  },
  /** The gradient of the root is 1, and no other has received anything. */
  seed(moment) {
    moment.grad.fill(0);
    moment.reached.fill(0);
    moment.grad[moment.tape.root] = 1;
    moment.reached[moment.tape.root] = 1;
  },
  /** The chain rule: nodes pass their gradients back to their operands. */
  backward(moment, ...nodes) {
    for (const i of nodes) {
      for (const [parent, local] of moment.locals(i)) {
        const sum = moment.accumulate(parent, moment.grad[i] * local, "gradient");
        moment.contributions.push({ node: i, parent, local, ...sum });
      }
    }
  },
  /** Forward mode begins: the tangent of the input is 1, and that of the nodes that do not depend on it is 0. */
  seedTangents(moment, input, ...independent) {
    moment.grad.fill(0);
    for (const i of [input, ...independent]) moment.reached[i] = 1;
    moment.dependent[input] = moment.grad[input] = 1;
  },
  /** The chain rule forwards: nodes receive their tangents from their operands. */
  tangent(moment, ...nodes) {
    for (const i of nodes) {
      for (const [parent, local] of moment.locals(i, moment.dependent)) {
        const incoming = moment.grad[parent];
        moment.contributions.push({ node: i, parent, local, incoming, ...moment.accumulate(i, local * incoming, "tangent") });
      }
      moment.reached[i] = moment.dependent[i] = 1;
    }
  },
  /** The numbers before an update are kept. */
  keep(moment) {
    moment.old = moment.data.slice();
  },
  /** Gradient descent: leaves move against their gradients by the learning rate. */
  update(moment, ...leaves) {
    for (const i of leaves) moment.data[i] -= moment.numbers.rate * moment.grad[i];
  },
  /** Only the leaves are known again, as before a second forward pass. */
  restart(moment) {
    for (const i of moment.tape.inner) moment.known[i] = 0;
    moment.reached.fill(0);
  },
};

/**
 * Run steps 0 to `last` from the state before them, and return it as it is then.
 * @param {Moment} moment
 * @param {{actions: Action[]}[]} steps
 * @param {number} last
 */
function runSteps(moment, steps, last) {
  for (const { actions } of steps.slice(0, last + 1)) {
    moment.contributions = [];
    for (const [name, ...args] of actions) ACTIONS[name](moment, ...args);
  }
  moment.step = last;
  return moment;
}

/** Two units in the last place of a number. @param {number} x */
function twoUlps(x) {
  return 2 ** Math.max(-1073, Math.floor(Math.log2(Math.abs(x) || 1e-320)) - 51);
}

/**
 * How far from Python's result the result here may be. Arithmetic is exact, so that only functions make a difference:
 * 2 units in the last place of the result, and whatever 2 units in that of each function change in the result.
 * @param {() => number} compute
 */
function tolerance(compute) {
  const exact = compute();
  const functions = { ...math };
  let [most, trial, calls] = [0, 0, 0];
  for (const [name, f] of Object.entries(functions)) {
    if (["abs", "max", "divide", "modulo", "floorDivide", "sqrt"].includes(name)) continue;
    // Python's own functions of these names are less exact than the page's.
    const units = ["erf", "erfc", "gamma", "lgamma"].includes(name) ? 8 : 1;
    math[name] = (...numbers) => {
      const result = f(...numbers);
      const sign = (trial >> (calls++ % 4)) & 1 ? 1 : -1;
      return result + sign * units * twoUlps(name === "lgamma" ? Math.max(1, Math.abs(result)) : result);
    };
  }
  try {
    for (; trial < 16; trial++) {
      calls = 0;
      most = Math.max(most, Math.abs(compute() - exact));
    }
  } finally {
    Object.assign(math, functions);
  }
  return twoUlps(exact) + most;
}

/**
 * Compare the numbers here with those that Python recorded, operation by operation, each from recorded operands, since
 * a long graph may amplify differences that are legitimate.
 * @param {Tape} tape
 * @param {number[]} backward the nodes in the order of the backward pass
 * @param {number} [input] in forward mode, where the recorded gradients are tangents: the input
 * @returns {{node: number, what: "data" | "grad", here: number, recorded: number} | null} the first difference
 */
function differenceFromPython(tape, backward, input) {
  const moment = new Moment(tape); // with the recorded numbers
  for (const i of tape.inner) {
    const [here, recorded] = [moment.evaluate(i), moment.data[i]];
    if (here !== recorded && Math.abs(here - recorded) > tolerance(() => moment.evaluate(i))) {
      return { node: i, what: "data", here, recorded };
    }
  }
  const grad = new Float64Array(tape.nodes.length);
  grad[input ?? tape.root] = 1;
  /** What each contribution to the derivative of a node may be off. @type {(() => number)[][]} */
  const slacks = tape.nodes.map(() => []);
  const isForward = input !== undefined;
  const wanted = isForward ? Uint8Array.from(tape.nodes, (node) => Number(node.grad !== 0)) : undefined;
  for (const i of isForward ? tape.inner.filter((node) => node !== input) : backward) {
    for (const [k, [parent, local]] of moment.locals(i, wanted).entries()) {
      const [giver, receiver] = isForward ? [parent, i] : [i, parent];
      const factor = tape.nodes[giver].grad;
      const total = (grad[receiver] += factor * local);
      slacks[receiver].push(() => Math.abs(factor) * tolerance(() => moment.locals(i, wanted)[k][1]) + twoUlps(total));
    }
  }
  for (const [i, node] of tape.nodes.entries()) {
    if (node.constant || grad[i] === node.grad) continue;
    const slack = slacks[i].reduce((sum, slackOf) => sum + slackOf(), 0);
    if (!(Math.abs(grad[i] - node.grad) <= slack)) {
      return { node: i, what: "grad", here: grad[i], recorded: node.grad };
    }
  }
  return null;
}
