// @ts-check
// The training of a network of any sizes as WebAssembly, from the formulas that Python wrote (viz/pages/playground_code.py).

/**
 * @typedef {{value: Code, partials: (Code | null)[]}} Form the formulas of an operation; a partial that is null is 1
 * @typedef {{finalize: Code, top: boolean}} Fold the end of an operation on lists; whether it needs the largest operand
 *
 * @typedef {object} GraphNode a leaf, or an operation
 * @property {number} [parameter] its number
 * @property {number} [entry] its place in a row, which has the inputs, then the numbers of the target
 * @property {number} [constant]
 * @property {number[][]} [terms] for every term the form and the operands
 * @property {number} [fold]
 *
 * @typedef {object} TrainingCode
 * @property {{bias: number, product: number, fold: number}} sum the forms of a weighted sum
 * @property {(GraphNode & {output?: number, target?: number})[]} loss
 * @property {Form[]} forms
 * @property {Fold[]} folds
 * @property {Record<string, {code: Code, arity: number}>} functions
 * @property {string[]} binary the functions of `math` that take two arguments
 *
 * @typedef {{activation: number, weights: number[]}} NeuronPlan the form of its activation, the numbers of its weights
 *
 * @typedef {object} Graph the loss of one example
 * @property {GraphNode[]} nodes each after its operands; the last one is the loss
 * @property {number[]} outputs
 * @property {number[]} signals the weighted sums of all neurons, then their outputs
 */

/**
 * The graph of the loss of one example.
 * @param {TrainingCode} code
 * @param {NeuronPlan[][]} layers
 * @param {number} inputs
 * @returns {Graph}
 */
function graphOf(code, layers, inputs) {
  /** @type {GraphNode[]} */
  const nodes = [];
  const add = (/** @type {GraphNode} */ node) => nodes.push(node) - 1;
  const one = add({ constant: 1 });
  let signals = Array.from({ length: inputs }, (_, i) => add({ entry: i }));
  const [sums, outputs] = [/** @type {number[][]} */ ([]), /** @type {number[][]} */ ([])];
  // As in Python's graph, the outputs come in the order in which the loss uses them.
  const order = code.loss.flatMap(({ output }) => output ?? []);
  layers.forEach((neurons, k) => {
    const [a, z] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
    for (const j of k === layers.length - 1 ? order : neurons.keys()) {
      const [bias, ...weights] = neurons[j].weights.map((parameter) => add({ parameter }));
      const products = weights.map((weight, i) => [code.sum.product, weight, signals[i]]);
      a[j] = add({ terms: [[code.sum.bias, bias, one], ...products], fold: code.sum.fold });
      z[j] = add({ terms: [[neurons[j].activation, a[j]]] });
    }
    sums.push(a);
    outputs.push(z);
    signals = z;
  });
  /** @type {number[]} */
  const places = [];
  for (const { output, target, terms, ...node } of code.loss) {
    if (output !== undefined) places.push(signals[output]);
    else if (target !== undefined) places.push(add({ entry: inputs + target }));
    else if (terms) places.push(add({ ...node, terms: terms.map(([form, ...x]) => [form, ...x.map((i) => places[i])]) }));
    else places.push(add(node));
  }
  return { nodes, outputs: signals, signals: [...sums, ...outputs].flat() };
}

/**
 * A module of three functions, which read the parameters at address 0 of the memory. `learn(rows, order, n, seed)` adds
 * to the gradients those of the losses of the `n` examples whose numbers are at the address `order`; `seed` is the
 * gradient of each loss. It returns the sum of the losses, which is not finite if a sum is not.
 * `evaluate(rows, n, out)` writes for each of `n` rows its loss and its outputs, `show(rows, n, out)` its signals.
 * @param {TrainingCode} code
 * @param {Graph} graph
 * @param {number} width the numbers in a row
 * @param {number} gradients where the gradients begin in the memory, counted in floats
 */
function trainingModule(code, { nodes, outputs, signals }, width, gradients) {
  const { INTEGER, FLOAT, ADD, ADD_INTEGERS, MULTIPLY_INTEGERS, integer, get, put } = wasm;
  const loss = nodes.length - 1;
  /** @type {Record<string, WasmFunction>} */
  const functions = {};
  for (const [name, { code: body, arity }] of Object.entries(code.functions)) {
    const pass = new Pass(code, nodes, [], 0);
    pass.formula(body, { a: get(0), b: get(1) });
    const parameters = Array.from({ length: arity }, () => FLOAT);
    functions[name] = { parameters, results: [FLOAT], integers: 0, floats: 0, code: pass.code, isExported: false };
  }

  const [rows, order, n, seed, address, total] = [0, 1, 2, 3, 4, 5];
  const learn = new Pass(code, nodes, [loss], 6);
  learn.write(get(rows), get(order), wasm.loadInteger, integer(8 * width), MULTIPLY_INTEGERS, ADD_INTEGERS, put(address));
  learn.forward(address);
  learn.write(get(total), learn.data(loss), ADD);
  learn.addChecks();
  learn.write(put(total));
  learn.backward(loss, get(seed), gradients);
  learn.write(get(order), integer(4), ADD_INTEGERS, put(order));
  functions.learn = {
    parameters: [INTEGER, INTEGER, INTEGER, FLOAT], results: [FLOAT], integers: 1, floats: learn.locals - 5,
    code: [...wasm.loop(n, learn.code), ...get(total)], isExported: true,
  };

  for (const [name, results] of Object.entries({ evaluate: [loss, ...outputs], show: signals })) {
    const [from, count, to] = [0, 1, 2];
    const pass = new Pass(code, nodes, results, 3);
    pass.forward(from);
    results.forEach((i, k) => pass.write(get(to), pass.data(i), wasm.store(8 * k)));
    for (const [pointer, size] of [[from, width], [to, results.length]]) {
      pass.write(get(pointer), integer(8 * size), ADD_INTEGERS, put(pointer));
    }
    functions[name] = {
      parameters: [INTEGER, INTEGER, INTEGER], results: [], integers: 0, floats: pass.locals - 3,
      code: wasm.loop(count, pass.code), isExported: true,
    };
  }
  return wasm.encode(functions, (name) => (code.binary.includes(name) ? 2 : 1));
}

/** The code of the nodes that some results need, for one example. */
class Pass {
  /** @type {Code} */
  code = [];
  /** The local variable of a node. @type {Map<number, number>} */
  local = new Map();
  /** The local variable of a node's gradient. @type {Map<number, number>} */
  gradient = new Map();

  /**
   * @param {TrainingCode} formulas
   * @param {GraphNode[]} nodes
   * @param {number[]} results
   * @param {number} locals the number of the first local variable that it may use
   */
  constructor(formulas, nodes, results, locals) {
    this.formulas = formulas;
    this.nodes = nodes;
    /** The number of the next local variable. */
    this.locals = locals;
    const needed = new Set(results);
    for (let i = nodes.length - 1; i >= 0; i--) {
      if (needed.has(i)) for (const x of this.operands(i).flat()) needed.add(x);
    }
    /** The nodes to compute. */
    this.order = [...nodes.keys()].filter((i) => needed.has(i) && (nodes[i].terms || nodes[i].entry !== undefined));
    for (const i of this.order) this.local.set(i, this.locals++);
    /** The parameters, and what depends on them. */
    this.trained = new Set([...nodes.keys()].filter((i) => nodes[i].parameter !== undefined));
    for (const i of this.order) if (this.operands(i).flat().some((x) => this.trained.has(x))) this.trained.add(i);
  }

  /** The operands of every term. @param {number} i */
  operands(i) {
    return (this.nodes[i].terms ?? []).map(([, ...operands]) => operands);
  }

  /** @param {(number | Code)[]} parts */
  write(...parts) {
    for (const part of parts) {
      if (typeof part === "number") this.code.push(part);
      else for (const x of part) this.code.push(x);
    }
  }

  /**
   * Write the code of a formula.
   * @param {Code} code
   * @param {Record<string, Code>} letters
   */
  formula(code, letters) {
    for (const part of code) this.write(typeof part === "string" ? letters[part] ?? [part] : part);
  }

  /** The code that reads the data of a node. @param {number} i @returns {number[]} */
  data(i) {
    const { parameter, constant } = this.nodes[i];
    if (parameter !== undefined) return [...wasm.integer(0), ...wasm.load(8 * parameter)];
    return constant === undefined ? wasm.get(/** @type {number} */ (this.local.get(i))) : wasm.constant(constant);
  }

  /** @param {number[]} operands @returns {Record<string, Code>} */
  letters([a, b = a]) {
    return { a: this.data(a), b: this.data(b) };
  }

  /** Write the forward pass. @param {number} address the local variable with the address of the row */
  forward(address) {
    for (const i of this.order) {
      const { entry } = this.nodes[i];
      if (entry === undefined) this.value(i);
      else this.write(wasm.get(address), wasm.load(8 * entry));
      this.write(wasm.put(/** @type {number} */ (this.local.get(i))));
    }
  }

  /** Write the value of an operation. @param {number} i */
  value(i) {
    const { terms = [], fold } = this.nodes[i];
    const { forms, folds } = this.formulas;
    if (fold === undefined) {
      const [[form, ...operands]] = terms;
      this.formula(forms[form].value, this.letters(operands));
      return;
    }
    const [total, top] = [this.locals++, this.locals++];
    const { get, put, GREATER, SELECT } = wasm;
    this.write(wasm.constant(0), put(total));
    if (folds[fold].top) {
      const [first, ...others] = this.operands(i).map(([a]) => this.data(a));
      this.write(first, put(top));
      for (const a of others) this.write(a, get(top), a, get(top), GREATER, SELECT, put(top));
    }
    for (const [form, ...operands] of terms) {
      this.write(get(total));
      this.formula(forms[form].value, { ...this.letters(operands), top: get(top) });
      this.write(wasm.ADD, put(total));
    }
    this.formula(folds[fold].finalize, { total: get(total), top: get(top) });
  }

  /** Add 0 to the number on the stack, or nan if a sum is infinite, which tanh would hide. */
  addChecks() {
    for (const i of this.order) {
      if (this.nodes[i].fold !== undefined) this.write(this.data(i), wasm.constant(0), wasm.MULTIPLY, wasm.ADD);
    }
  }

  /**
   * Write the backward pass, which adds to the gradients of the parameters.
   * @param {number} root
   * @param {number[]} seed the code of the gradient of the root
   * @param {number} gradients where those of the parameters begin in the memory, counted in floats
   */
  backward(root, seed, gradients) {
    const { get, put } = wasm;
    this.gradient.set(root, this.locals++);
    this.write(seed, put(/** @type {number} */ (this.gradient.get(root))));
    for (const i of this.order.toReversed()) {
      const upstream = this.gradient.get(i);
      if (upstream === undefined) continue;
      for (const [form, ...operands] of this.nodes[i].terms ?? []) {
        const letters = { ...this.letters(operands), out: this.data(i) };
        operands.forEach((x, k) => {
          if (!this.trained.has(x)) return;
          const { parameter } = this.nodes[x];
          const place = 8 * (gradients + (parameter ?? 0));
          const gradient = this.gradient.get(x);
          if (parameter !== undefined) this.write(wasm.integer(0), wasm.integer(0), wasm.load(place));
          else if (gradient !== undefined) this.write(get(gradient));
          this.write(get(upstream));
          const local = this.formulas.forms[form].partials[k];
          if (local) {
            this.formula(local, letters);
            this.write(wasm.MULTIPLY);
          }
          if (parameter !== undefined) {
            this.write(wasm.ADD, wasm.store(place));
          } else if (gradient !== undefined) {
            this.write(wasm.ADD, put(gradient));
          } else {
            this.gradient.set(x, this.locals);
            this.write(put(this.locals++));
          }
        });
      }
    }
  }
}
