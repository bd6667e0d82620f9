// @ts-check
// The close-up of the training: from a step to a weight that it moved, an example and one product, with the browser's history.

/** @typedef {{time: number, weight: number | null, example: number | null}} Place of the close-up; the example is a number of a row */

const closeUp = (() => {
  const MAX_ROWS = 200; // of a table
  const dialog = byId("play-zoom");
  /** Where the close-up is; null if it is closed. @type {Place | null} */
  let place = null;
  /** @type {CloseUp | null} */
  let step = null;

  /** The numbers of the words: of a step, a weight or a product. @type {Record<string, number>} */
  let numbers = {};
  SLOTS.of = SLOTS.count = (_, name) => numbers[name];
  SLOTS.setting = (_, ...name) => step?.settings[name.join("_")] ?? NaN;
  SLOTS.no = (_, kind, ...name) => (SLOTS[kind](null, ...name) === 0 ? 1 : 0);
  SLOTS.before = (_, k) => step?.before.state[k]?.[place?.weight ?? 0] ?? NaN;
  SLOTS.after = (_, k) => step?.state[k]?.[place?.weight ?? 0] ?? NaN;

  const levelOf = (/** @type {Place | null} */ at) => (!at ? "none" : at.example !== null ? "example" : at.weight !== null ? "weight" : "step");
  const number = (/** @type {number} */ x) => formatNumber(x, 4).replaceAll("-", "\u2212");
  const mean = (/** @type {number[]} */ list) => list.reduce((sum, x) => sum + x, 0) / list.length;

  /**
   * Fill a table; the first cell of a row is a button.
   * @param {string} id
   * @param {{cells: string[], name: string, to: Partial<Place>}[]} rows
   */
  function fillTable(id, rows) {
    byId(id).tBodies[0].replaceChildren(...rows.slice(0, MAX_ROWS).map(({ cells: [first, ...others], name, to }) => {
      const row = document.createElement("tr");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = first;
      button.setAttribute("aria-label", name);
      button.addEventListener("click", () => enter({ .../** @type {Place} */ (place), ...to }));
      row.insertCell().append(button);
      for (const text of others) row.insertCell().textContent = text;
      return row;
    }));
  }

  /** @param {number} weight */
  function weightName(weight) {
    const { source, receiver } = stepData.ends(weight);
    return `${source} → ${receiver}`;
  }

  /** Show the tables and the numbers of the place. */
  function showNumbers() {
    if (!place || !step) return;
    const { time, before, batch, after, gradients, settings } = step;
    const { weight, example } = place;
    const { inputs } = training.data;
    const terms = stepData.terms(step, weight ?? 0);
    const rows = batch.map((i) => /** @type {CloseUp} */ (step).rows[i]);
    numbers = {
      time, steps: settings.steps, n: batch.length, all: step.rows.length, others: Math.max(0, batch.length - MAX_ROWS), loss: mean(terms.map(({ loss }) => loss)), example: (example ?? 0) + 1,
    };
    if (weight !== null) {
      const [old, gradient] = [before.weights[weight], gradients[weight]];
      numbers = {
        ...numbers, old, new: after[weight], gradient, grad: gradient + settings.weight_decay * old,
        sum: terms.reduce((sum, { product }) => sum + product, 0), ...terms[batch.indexOf(example ?? -1)],
      };
      const { source, receiver } = stepData.ends(weight);
      const names = /** @type {Record<string, string>} */ ({ source, receiver, weight: weightName(weight) });
      for (const element of dialog.querySelectorAll("[data-name]")) element.textContent = names[element.dataset.name];
      const { layer, neuron, isShared } = stepData.connection(weight);
      const isOutput = layer === shape.sizes.length - 1;
      const conditions = /** @type {Record<string, boolean>} */ ({ output: isOutput, hidden: !isOutput, shared: isShared, single: !isShared });
      for (const part of dialog.querySelectorAll("[data-when]")) part.hidden = !conditions[part.dataset.when];
      const receivers = example === null ? [] : stepData.receivers(step, layer, neuron, example);
      numbers.back = receivers.reduce((sum, { w, delta }) => sum + w * delta, 0);
      numbers.slope = numbers.back === 0 ? 0 : numbers.delta / numbers.back;
      fillTable("play-zoom-receivers", receivers.map(({ weight: next, w, delta }) => {
        const name = stepData.ends(next).receiver;
        return { cells: [name, ...[w, delta, w * delta].map(number)], name: `neuron ${name}`, to: { weight: next } };
      }));
      fillTable("play-zoom-terms", terms.map(({ delta, signal, product, loss }, k) => ({
        cells: [String(batch[k] + 1), ...[delta, signal, product, loss].map(number)],
        name: `example ${batch[k] + 1}`, to: { example: batch[k] },
      })));
    }
    const moves = [...after.keys()].sort((i, k) => Math.abs(after[k] - before.weights[k]) - Math.abs(after[i] - before.weights[i]));
    fillTable("play-zoom-weights", moves.map((i) => ({
      cells: [weightName(i), ...[before.weights[i], gradients[i], after[i]].map(number)],
      name: `weight ${weightName(i)}`, to: { weight: i },
    })));
    const list = (/** @type {number[]} */ row) => [...row.slice(0, 4).map((x) => formatNumber(x, 3)), ...(row.length > 4 ? ["…"] : [])].join(", ").replaceAll("-", "\u2212");
    fillTable("play-zoom-batch", rows.map((row, k) => ({
      cells: [String(batch[k] + 1), list(row.slice(0, inputs)), list(row.slice(inputs)), number(terms[k].loss)],
      name: `example ${batch[k] + 1}`, to: { example: batch[k] },
    })));
    fill(dialog, null);
  }

  /** Show a place of the close-up; null closes it. @param {Place | null} to */
  function show(to) {
    const from = place;
    if (to && training.time !== to.time) timeline.goTo(to.time);
    if (to && (!step || step.time !== training.time || !from)) step = stepData.take();
    place = to && step ? { ...to, time: step.time } : null;
    if (place && step) {
      if (place.weight !== null && place.weight >= step.after.length) place.weight = null;
      if (place.example !== null && !step.batch.includes(place.example)) place.example = null;
    }
    const level = levelOf(place);
    if (level === "none") {
      dialog.close();
      frame.hide();
      return;
    }
    showNumbers();
    for (const section of dialog.querySelectorAll("section")) section.hidden = section.dataset.level !== level;
    for (const crumb of dialog.querySelectorAll("nav button")) {
      const isThere = { weight: place?.weight !== null, example: place?.example !== null }[/** @type {string} */ (crumb.dataset.level)];
      crumb.hidden = isThere === false;
      crumb.toggleAttribute("aria-current", crumb.dataset.level === level);
    }
    for (const part of dialog.querySelectorAll("[data-shown]")) part.hidden = place?.weight === null;
    for (const part of dialog.querySelectorAll("[data-optimizer]")) part.hidden = part.dataset.optimizer !== step?.before.fields.optimizer;
    byId("play-zoom-before").disabled = (place?.time ?? 0) - 1 <= training.history.first;
    byId("play-zoom-after").disabled = place?.time === training.history.last;
    if (!dialog.open) dialog.showModal();
    const section = dialog.querySelector(`section[data-level="${level}"]`);
    if (levelOf(from) !== level) {
      const row = from?.example ?? from?.weight ?? null;
      const names = [`example ${(from?.example ?? -1) + 1}`, from?.weight !== null && from ? `weight ${weightName(from.weight)}` : ""];
      const back = row === null ? null : [...section.querySelectorAll("tbody button")].find((button) => names.includes(button.getAttribute("aria-label")));
      (back ?? section.querySelector("h2")).focus();
    }
    if (level === "example") frame.show(/** @type {CloseUp} */ (step), /** @type {Place} */ (place));
    else frame.hide();
  }

  /** Go to another place; "back" of the browser returns. @param {Place | null} to */
  function enter(to) {
    history.pushState({ zoom: to, from: place }, "");
    show(to);
  }

  /** Look at the step that led to what is shown. @param {Partial<Place>} to */
  function open(to) {
    player.pause();
    if (training.time > training.history.first) enter({ time: training.time, weight: null, example: null, ...to });
  }

  function close() {
    if (history.state?.from === null) history.back();
    else enter(null);
  }

  /** Go to the same place of another step. @param {number} by */
  function move(by) {
    if (!place) return;
    const time = clamp(place.time + by, training.history.first + 1, training.history.last);
    const to = { ...place, time };
    history.replaceState({ ...history.state, zoom: to }, "");
    show(to);
  }

  addEventListener("popstate", (event) => {
    const to = event.state?.zoom ?? null;
    if (!to && !place) return;
    link.keep(); // the training does not change
    show(to);
  });
  dialog.addEventListener("cancel", (/** @type {Event} */ event) => {
    event.preventDefault();
    history.back();
  });
  dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") history.back();
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") move(event.key === "ArrowLeft" ? -1 : 1);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("keydown", (/** @type {Event} */ event) => event.stopPropagation());
  byId("play-zoom-before").addEventListener("click", () => move(-1));
  byId("play-zoom-after").addEventListener("click", () => move(1));
  byId("play-zoom-close").addEventListener("click", close);
  byId("play-look").addEventListener("click", () => open({}));
  for (const crumb of dialog.querySelectorAll("nav button")) {
    crumb.addEventListener("click", () => {
      const { level } = crumb.dataset;
      if (level === "none") close();
      else if (place && level !== levelOf(place)) enter({ ...place, example: null, weight: level === "weight" ? place.weight : null });
    });
  }

  // The lines of the network open their weights, by pointer, touch and keys.

  const drawing = byId("play-network");
  const lines = () => all("#play-lines line");

  /** Let the keys reach the lines: one of them by Tab, the others by the arrow keys. */
  function prepareLines() {
    byId("play-lines").removeAttribute("aria-hidden");
    byId("play-lines").setAttribute("role", "group");
    byId("play-lines").setAttribute("aria-label", "weights");
    for (const [i, line] of lines().entries()) {
      line.setAttribute("role", "button");
      line.setAttribute("tabindex", i === 0 ? "0" : "-1");
      line.setAttribute("aria-label", `weight ${weightName(Number(line.dataset.weight))}`);
    }
  }

  /** The weight whose line is nearest, if one is near. @param {MouseEvent} event */
  function nearest(event) {
    const box = drawing.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [null, 14];
    for (const line of lines()) {
      const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) => Number(line.getAttribute(name)));
      const share = clamp(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2), 0, 1);
      const distance = Math.hypot(x1 + share * (x2 - x1) - x, y1 + share * (y2 - y1) - y);
      if (distance < least) [best, least] = [line, distance];
    }
    return best;
  }

  drawing.addEventListener("click", (/** @type {any} */ event) => {
    const bias = event.target.closest(".bias");
    if (bias) event.stopPropagation();
    const line = event.target.closest("line") ?? (event.target.closest("button, .unit, a, input, select") ? null : nearest(event));
    const weight = bias?.dataset.bias ?? line?.dataset.weight;
    if (weight !== undefined) open({ weight: Number(weight) });
  }, { capture: true });
  byId("play-lines").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const list = lines();
    const i = list.indexOf(event.target);
    const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (way) {
      const next = list[(i + way + list.length) % list.length];
      for (const line of list) line.setAttribute("tabindex", line === next ? "0" : "-1");
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      open({ weight: Number(list[i].dataset.weight) });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  // The listeners are those of the section, since an SVG element with them is in the order of Tab.
  for (const [name, other] of [["focusin", "pointerenter"], ["focusout", "pointerleave"]]) {
    drawing.addEventListener(name, (/** @type {Event} */ event) => event.target?.dispatchEvent(new Event(other)));
  }
  prepareLines();
  document.addEventListener("play-shape", prepareLines);
  return { get weight() { return place?.weight ?? null; } };
})();
