// The page of a network: its fields, lines and curves follow the numbers, and a training step can be repeated.

{
  /** @type {{widths: number[], height: number, rate: number, weights: number[], target: number[],
   *   layers: {sum: number, output: number, id: string}[][]}} */
  const network = page.data.network;
  const drawing = /** @type {HTMLElement} */ (document.getElementById("network"));
  const { tape } = page;
  const last = page.steps.length - 1;
  const isWeight = new Set(network.weights);
  const lines = [...drawing.querySelectorAll("line[data-weight]")];
  const fields = /** @type {HTMLInputElement[]} */ ([...drawing.querySelectorAll("input[data-leaf]")]);
  const select = (selector) => [...drawing.querySelectorAll(selector)];
  const choices = /** @type {HTMLSelectElement[]} */ (select("select"));
  const nameOf = (choice) => `activation${choice.dataset.layer}`;
  const neurons = network.layers.flat();
  const largest = Math.max(...network.weights.map((i) => Math.abs(tape.nodes[i].data))) || 1;
  const digits = Math.min(3, page.data.options.digits); // of the drawing
  const clamp = (x, low, high) => Math.max(low, Math.min(high, x));

  // What the words of a step may show beside data and gradients.

  /** The slope of the activation whose output is node i. */
  function slope(moment, i) {
    const [[, local]] = tape.localDerivatives(i, moment.data, tape.rows[moment.rules[i]]);
    return local;
  }

  SLOTS.rate = (moment) => moment.numbers.rate;
  SLOTS.slope = (moment, i) => slope(moment, Number(i));
  SLOTS.error = (moment, i) => 0 - moment.grad[i];
  SLOTS.old = (moment, i) => moment.old[i];
  SLOTS.change = (moment) => moment.data[tape.root] - moment.old[tape.root];
  /** The probability that belongs to output i, a logit: by sigmoid if there is one output, else by softmax. */
  SLOTS.probability = (moment, i) => {
    const logits = network.layers.at(-1).map(({ output }) => moment.data[output]);
    const others = logits.length > 1 ? logits : [...logits, 0];
    return 1 / others.reduce((sum, logit) => sum + Math.exp(logit - moment.data[i]), 0);
  };
  SLOTS.rule = (moment, i, rule) => (moment.rules[i] === Number(rule) ? 1 : 0);

  /** The numbers before the update are kept, so that the new ones can be shown beside them. */
  ACTIONS.keep = (moment) => {
    moment.old = moment.data.slice();
  };

  // Learning rate and activations are numbers of the state, so that links, undo and reset know them.
  page.prepare = (moment) => {
    const numbers = Object.assign(moment.numbers, { ...page.data.numbers, ...moment.numbers });
    for (const choice of choices) {
      const allowed = [...choice.options].some((option) => Number(option.value) === numbers[nameOf(choice)]);
      const rule = allowed ? numbers[nameOf(choice)] : page.data.numbers[nameOf(choice)];
      for (const neuron of network.layers[choice.dataset.layer - 1]) moment.rules[neuron.output] = rule;
    }
  };

  // The layout: shares of the screen, and sizes in the size of the type.

  const width = network.widths.reduce((sum, x) => sum + x);
  drawing.style.setProperty("--width", String(width));
  drawing.style.setProperty("--height", String(network.height));
  drawing.style.gridTemplateColumns = network.widths
    .map((width, i) => (i % 2 ? `minmax(${width}em, ${width}fr)` : `${width}em`)).join(" ");
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
    fitFormulas();
  });
  arrange();

  // The drawing at a moment.

  /** Make the type of a text smaller if it has more characters than there is room for. */
  function shrink(element, text, room) {
    element.style.fontSize = text.length > room ? `${room / text.length}em` : "";
  }

  function showNumbers(moment) {
    for (const element of select("[data-show]")) {
      const [kind, i, j = i] = element.dataset.show.split(" "); // the number of node j is shown when that of i is known
      const isKnown = kind === "data" ? moment.known[i] : moment.reached[i];
      const text = isKnown ? formatNumber(SLOTS[kind](moment, j), digits) : "";
      element.textContent = text.replace("-", "\u2212");
      if (element.closest(".capsule")) shrink(element, text, 5.4);
    }
    for (const neuron of neurons) {
      document.getElementById(neuron.id)?.classList.toggle("waiting", !moment.known[neuron.output]);
    }
  }

  function showLines(moment) {
    for (const line of lines) {
      const weight = moment.data[line.dataset.weight];
      line.dataset.sign = Math.sign(weight);
      line.style.strokeWidth = `${(0.05 + 0.25 * Math.min(2, Math.abs(weight) / largest)).toFixed(3)}em`;
    }
  }

  /** The curve of an activation for sums from -4 to 4, and where the neuron is on it. */
  function showCurve(neuron, moment) {
    const curve = document.getElementById(neuron.id)?.querySelector(".curve");
    if (!curve) return;
    const row = tape.rows[moment.rules[neuron.output]];
    const points = [];
    for (let a = -4; a <= 4; a += 0.125) {
      try {
        points.push([a, clamp(row.value(a), -4, 4)]);
      } catch (error) {
        if (!(error instanceof NoValue)) throw error; // the activation has no value there, as log
      }
    }
    const low = Math.min(...points.map(([, z]) => z));
    const high = Math.max(...points.map(([, z]) => z));
    const height = (z) => (high > low ? (2.1 * (high + low - 2 * clamp(z, low, high))) / (high - low) : 0);
    const [path, point] = curve.children;
    path.setAttribute("d", `M${points.map(([a, z]) => `${a} ${height(z).toFixed(2)}`).join("L")}`);
    point.setAttribute("cx", clamp(moment.data[neuron.sum], -4, 4));
    point.setAttribute("cy", height(moment.data[neuron.output]));
    point.toggleAttribute("hidden", !moment.known[neuron.output] || !points.length);
  }

  function showLit(step) {
    for (const element of select(".lit, .now")) element.classList.remove("lit", "now");
    for (const id of step.lit) document.getElementById(id)?.classList.add("lit");
    if (step.focus) document.getElementById(step.focus)?.classList.add("now");
    const lit = new Set(step.lit);
    for (const field of select(".weight")) {
      field.classList.toggle("lit", lit.has(`line${field.querySelector("input").dataset.leaf}`));
    }
  }

  /** Fields are read-only while they show the result of the update. */
  function showFields(moment, phase) {
    const isUpdated = phase === "update" || phase === "again";
    for (const field of fields) {
      const leaf = Number(field.dataset.leaf);
      field.readOnly = isUpdated && isWeight.has(leaf);
      shrink(field, formatNumber(moment.data[leaf], digits), 6);
    }
    for (const radio of select("[data-class]")) radio.checked = moment.data[radio.dataset.class] === 1;
    for (const choice of choices) choice.value = moment.rules[network.layers[choice.dataset.layer - 1][0].output];
  }

  /** The losses at the start of each training step that was done; none after a reset. */
  const pastLosses = (state) => (Object.keys(state.numbers).length ? (state.losses ?? []) : []);

  function showHistory() {
    const losses = [...pastLosses(page.state), page.momentAt(last).old[tape.root]];
    const history = document.getElementById("network-history");
    history.querySelector("b").textContent = losses.length - 1;
    const [low, high] = [Math.min(0, ...losses), Math.max(...losses)];
    const points = losses.map((loss, i) => [
      (100 * i) / Math.max(1, losses.length - 1), high > low ? 29 - (28 * (loss - low)) / (high - low) : 29,
    ]);
    history.querySelector("path").setAttribute("d", `M${points.map((point) => point.join(" ")).join("L")}`);
  }

  /** Make the type of a formula smaller if a part of it, which cannot break, is wider than the panel. */
  function fitFormulas() {
    for (const line of document.querySelectorAll("#page-lines .formula")) {
      line.style.fontSize = "";
      if (line.scrollWidth > line.clientWidth) line.style.fontSize = `${(0.97 * line.clientWidth) / line.scrollWidth}em`;
    }
  }

  /** Bring the neuron of the step into view where the drawing is larger than the screen. */
  function follow(step) {
    const element = document.getElementById(step.focus);
    element?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  page.on("show", ({ moment }) => {
    const step = page.steps[page.state.step];
    showNumbers(moment);
    showLines(moment);
    for (const neuron of neurons) showCurve(neuron, moment);
    showLit(step);
    showFields(moment, step.phase);
    showHistory();
    fitFormulas();
    follow(step);
  });

  // What can be changed.

  for (const field of fields) {
    const leaf = field.dataset.leaf;
    const [least, most] = ["min", "max"].map((name) => (field.hasAttribute(name) ? Number(field[name]) : undefined));
    numberField(field, {
      digits,
      handles: [field],
      get: () => page.moment.data[leaf],
      set: (x, gesture) => !field.readOnly && page.change((state) => {
        state.numbers[leaf] = clamp(x, least ?? -Infinity, most ?? Infinity);
      }, gesture),
    });
  }
  const rate = document.getElementById("network-rate");
  numberField(rate, {
    handles: [rate],
    get: () => page.moment.numbers.rate,
    set: (x, gesture) => x >= 0 && page.change((state) => {
      state.numbers.rate = x;
    }, gesture),
  });
  /** Call a function when a choice changes. A pointer leaves no focus there, so that arrow keys step again. */
  function onChange(element, change) {
    element.addEventListener("change", () => {
      page.change(change);
      if (!element.matches(":focus-visible")) element.blur();
    });
  }
  for (const radio of select("[data-class]")) {
    onChange(radio, (state) => {
      for (const leaf of network.target) state.numbers[leaf] = leaf === Number(radio.dataset.class) ? 1 : 0;
    });
  }
  for (const choice of choices) {
    onChange(choice, (state) => {
      state.numbers[nameOf(choice)] = Number(choice.value);
    });
  }

  /** Make the updated weights the start of the next training step, some times. */
  function repeat(times) {
    page.change((state) => {
      state.losses = [...pastLosses(state)];
      for (let i = 0; i < times; i++) {
        const end = page.momentAt(last, state);
        for (const weight of network.weights) state.numbers[weight] = end.data[weight];
        state.losses.push(end.old[tape.root]);
      }
    });
  }
  for (const button of document.querySelectorAll("#network-training [data-times]")) {
    button.addEventListener("click", () => repeat(Number(button.dataset.times)));
  }

  /** A click on a neuron goes to its step, in the present phase if it has one there. */
  for (const { id } of neurons) {
    document.getElementById(id)?.addEventListener("click", () => {
      const { phase } = page.steps[page.state.step];
      const indices = [...page.steps.keys()].filter((i) => page.steps[i].focus === id);
      const index = indices.find((i) => page.steps[i].phase === phase) ?? indices[0];
      if (index !== undefined) page.move(index);
    });
  }
}
