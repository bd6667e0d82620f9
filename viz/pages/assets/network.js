// @ts-check
// The page of a network: its fields, lines and curves follow the numbers, and a training step can be repeated.

{
  /** @typedef {{sum: number, output: number, id: string}} DrawnNeuron the nodes of its sum and output, its element */

  /** @type {{widths: number[], height: number, weights: number[], target: number[], layers: DrawnNeuron[][]}} */
  const network = page.data.network;
  const { tape } = page;
  const neurons = network.layers.flat();
  const outputs = network.layers[network.layers.length - 1];
  const isWeight = new Set(network.weights);
  const largest = Math.max(...network.weights.map((i) => Math.abs(tape.nodes[i].data))) || 1;
  const digits = Math.min(3, page.data.options.digits); // of the drawing; the words have all

  const drawing = drawn("network");
  const history = drawn("network-history");
  /** @type {(selector: string) => any[]} */
  const select = (selector) => [...drawing.querySelectorAll(selector)];
  /** @type {HTMLInputElement[]} */
  const fields = select("input[data-leaf]");
  /** @type {HTMLInputElement[]} */
  const classes = select("input[data-class]");
  /** @type {HTMLSelectElement[]} */
  const choices = select("select");
  /** The choices of activations, each with its name in the state, the rows that it offers, and its neurons. */
  const activations = choices.map((choice) => {
    const layer = Number(choice.dataset.layer);
    const rules = [...choice.options].map(({ value }) => Number(value));
    return { choice, name: `activation${layer}`, rules, neurons: network.layers[layer - 1] };
  });

  // What the words of a step may show beside data and gradients.

  SLOTS.old = (moment, i) => moment.old[i];
  SLOTS.change = (moment) => moment.data[tape.root] - moment.old[tape.root];
  SLOTS.rate = (moment) => moment.numbers.rate;
  SLOTS.error = (moment, i) => 0 - moment.grad[i];
  SLOTS.rule = (moment, i, rule) => (moment.rules[i] === Number(rule) ? 1 : 0);
  /** The slope of the activation whose output is node i. */
  SLOTS.slope = (moment, i) => moment.locals(i)[0][1];
  /** The probability that belongs to output i, a logit: by sigmoid if there is one output, else by softmax. */
  SLOTS.probability = (moment, i) => {
    const logits = outputs.map(({ output }) => moment.data[output]);
    const all = logits.length > 1 ? logits : [...logits, 0];
    return 1 / all.reduce((sum, logit) => sum + Math.exp(logit - moment.data[i]), 0);
  };

  // Learning rate and activations are numbers of the state, so that links, undo and reset know them.
  page.prepare = (moment) => {
    for (const { name, rules, neurons: layer } of activations) {
      const { [name]: rule } = rules.includes(moment.numbers[name]) ? moment.numbers : page.data.numbers;
      for (const { output } of layer) moment.rules[output] = rule;
    }
  };

  // The layout: shares of the screen, and sizes in the size of the type.

  const width = network.widths.reduce((sum, x) => sum + x);
  drawing.style.setProperty("--width", String(width));
  drawing.style.setProperty("--height", String(network.height));
  drawing.style.gridTemplateColumns = network.widths
    .map((x, i) => (i % 2 ? `minmax(${x}em, ${x}fr)` : `${x}em`)).join(" ");
  for (const element of select("[data-x]")) {
    element.style.left = `${100 * element.dataset.x}%`;
    element.style.top = `${100 * element.dataset.y}%`;
  }

  /** Put the words beside the drawing if it is larger there than above them. */
  function arrange() {
    const height = innerHeight - 110; // without the heading and the slider
    const beside = Math.min((0.68 * innerWidth) / width, height / network.height);
    const above = Math.min(innerWidth / width, (0.64 * height) / network.height);
    document.body.classList.toggle("beside", innerWidth > 900 && beside > 0.9 * above);
  }

  addEventListener("resize", () => {
    arrange();
    fitFormulas(part("lines"));
  });
  arrange();

  // The drawing at a moment.

  /**
   * Make the type of a text smaller if it has more characters than there is room for.
   * @param {HTMLElement} element
   * @param {string} text
   * @param {number} room
   */
  function shrink(element, text, room) {
    element.style.setProperty("--fit", String(Math.min(1, room / text.length)));
  }

  /** @param {Moment} moment */
  function showNumbers(moment) {
    for (const element of select("[data-show]")) {
      const [kind, i, j = i] = element.dataset.show.split(" "); // the number of node j is shown when that of i is known
      const isKnown = kind === "data" ? moment.known[i] : moment.reached[i];
      const text = isKnown ? formatNumber(SLOTS[kind](moment, j), digits) : "";
      element.textContent = text.replaceAll("-", "\u2212");
      if (element.closest(".capsule")) shrink(element, text, 5.4);
    }
    for (const { id, output } of neurons) drawn(id)?.classList.toggle("waiting", !moment.known[output]);
  }

  /** @param {Moment} moment */
  function showLines(moment) {
    for (const line of select("line[data-weight]")) {
      const weight = moment.data[line.dataset.weight];
      line.dataset.sign = Math.sign(weight);
      line.style.strokeWidth = `${(0.05 + 0.25 * Math.min(2, Math.abs(weight) / largest)).toFixed(3)}em`;
    }
  }

  /**
   * Show the curve of an activation for sums from -4 to 4, and where the neuron is on it.
   * @param {DrawnNeuron} neuron
   * @param {Moment} moment
   */
  function showCurve({ id, sum, output }, moment) {
    const curve = drawn(id)?.querySelector(".curve");
    if (!curve) return;
    const row = moment.row(output);
    /** @type {[number, number][]} */
    const points = [];
    for (let a = -4; a <= 4; a += 0.125) {
      try {
        points.push([a, clamp(row.value(a), -4, 4)]);
      } catch (error) {
        if (!(error instanceof NoValue)) throw error; // the activation has no value there, as log
      }
    }
    const heights = points.map(([, z]) => z);
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    const height = (/** @type {number} */ z) => (
      high > low ? (2.1 * (high + low - 2 * clamp(z, low, high))) / (high - low) : 0
    );
    const [path, point] = curve.children;
    path.setAttribute("d", points.length ? `M${points.map(([a, z]) => `${a} ${height(z).toFixed(2)}`).join("L")}` : "");
    setAttributes(point, { cx: clamp(moment.data[sum], -4, 4), cy: height(moment.data[output]) });
    point.toggleAttribute("hidden", !moment.known[output] || !points.length);
  }

  /** @param {PageStep} step */
  function showLit(step) {
    for (const element of select(".lit, .now")) element.classList.remove("lit", "now");
    for (const id of step.lit) drawn(id)?.classList.add("lit");
    drawn(step.focus)?.classList.add("now");
    for (const field of fields) { // a lit layer has more weights than the panel can show, a lit neuron has few
      const isLit = step.focus !== "" && step.lit.includes(`line${field.dataset.leaf}`);
      field.closest(".weight")?.classList.toggle("lit", isLit);
    }
  }

  /**
   * Show the choices; fields are read-only while they show the result of the update.
   * @param {Moment} moment
   * @param {string} phase
   */
  function showFields(moment, phase) {
    const isUpdated = phase === "update" || phase === "again";
    for (const field of fields) {
      const leaf = Number(field.dataset.leaf);
      field.readOnly = isUpdated && isWeight.has(leaf);
      shrink(field, formatNumber(moment.data[leaf], digits), isWeight.has(leaf) ? 7.5 : 6);
    }
    for (const circle of classes) circle.checked = moment.data[Number(circle.dataset.class)] === 1;
    for (const { choice, neurons: [{ output }] } of activations) choice.value = String(moment.rules[output]);
  }

  /**
   * The losses at the start of each training step that was done; none after a reset.
   * @param {State & Record<string, any>} state
   * @returns {number[]}
   */
  const pastLosses = (state) => (Object.keys(state.numbers).length ? (state.losses ?? []) : []);

  function showHistory() {
    const losses = [...pastLosses(page.state), page.momentAt(page.last).old[tape.root]];
    const [low, high] = [Math.min(0, ...losses), Math.max(...losses)];
    const points = losses.map((loss, i) => [
      (100 * i) / Math.max(1, losses.length - 1), high > low ? 29 - (28 * (loss - low)) / (high - low) : 29,
    ]);
    history.querySelector("b").textContent = losses.length - 1;
    history.querySelector("path").setAttribute("d", `M${points.map((point) => point.join(" ")).join("L")}`);
  }

  page.extras.losses = {
    save: () => pastLosses(page.state),
    restore: (saved) => {
      if (Array.isArray(saved)) page.state.losses = saved.filter(Number.isFinite).slice(-1000);
      showHistory();
    },
  };

  page.on("show", ({ moment }) => {
    const step = page.steps[page.state.step];
    showNumbers(moment);
    showLines(moment);
    for (const neuron of neurons) showCurve(neuron, moment);
    showLit(step);
    showFields(moment, step.phase);
    showHistory();
    fitFormulas(part("lines"));
    const place = part("stage").scrollWidth > part("stage").clientWidth + 1 ? "center" : "nearest";
    drawn(step.focus)?.scrollIntoView({ block: place, inline: place });
  });

  // What can be changed.

  for (const field of fields) numberField(field, Number(field.dataset.leaf), digits);
  numberField(drawn("network-rate"), "rate", null);
  for (const circle of classes) {
    circle.addEventListener("change", () => page.change((state) => {
      for (const leaf of network.target) state.numbers[leaf] = leaf === Number(circle.dataset.class) ? 1 : 0;
    }));
  }
  for (const { choice, name } of activations) {
    choice.addEventListener("change", () => page.setNumber(name, Number(choice.value)));
  }
  for (const control of [...classes, ...choices]) {
    control.addEventListener("change", () => { // a pointer leaves no focus there, so that arrow keys step again
      if (!control.matches(":focus-visible")) control.blur();
    });
  }

  /**
   * Make the updated weights the start of the next training step, some times, as long as everything has a value.
   * @param {number} times
   */
  function repeat(times) {
    /** @type {Trouble | any} */
    let trouble = null;
    page.change((state) => {
      state.losses = [...pastLosses(state)];
      let end = page.momentAt(page.last, state);
      try {
        for (let i = 0; i < times; i++) {
          const numbers = { ...state.numbers, ...Object.fromEntries(network.weights.map((w) => [w, end.data[w]])) };
          const next = page.momentAt(page.last, { ...state, numbers });
          state.losses.push(end.old[tape.root]);
          state.numbers = numbers;
          end = next;
        }
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        trouble = error;
      }
    });
    if (trouble) page.setTrouble(trouble);
  }
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-times]"))) {
    button.addEventListener("click", () => repeat(Number(button.dataset.times)));
  }

  /** A click on a neuron goes to its step, in the present phase if it has one there. */
  for (const { id } of neurons) {
    drawn(id)?.addEventListener("click", () => {
      const { phase } = page.steps[page.state.step];
      const steps = page.steps.filter(({ focus }) => focus === id);
      const step = steps.find((each) => each.phase === phase) ?? steps[0];
      if (step) page.move(page.steps.indexOf(step));
    });
  }
}
