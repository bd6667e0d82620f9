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

  const levelOf = (/** @type {Place | null} */ at) => {
    return !at ? "none" : at.example !== null ? "example" : at.weight !== null ? "weight" : "step";
  };
  const sum = (/** @type {number[]} */ list) => list.reduce((total, x) => total + x, 0);
  const format = (/** @type {number} */ x, digits = 4) => formatNumber(x, digits).replaceAll("-", "\u2212");
  const formatList = (/** @type {number[]} */ row) => {
    return [...row.slice(0, 4).map((x) => format(x, 3)), ...(row.length > 4 ? ["…"] : [])].join(", ");
  };
  const weightName = (/** @type {number} */ weight) => {
    const { source, receiver } = stepData.ends(weight);
    return `${source} → ${receiver}`;
  };

  /**
   * Fill a table; the first cell of a row is a button.
   * @param {string} id
   * @param {string} kind of the rows
   * @param {{name: string | number, cells: (string | number)[], to: Partial<Place>}[]} rows
   */
  function fillTable(id, kind, rows) {
    byId(id).tBodies[0].replaceChildren(...rows.slice(0, MAX_ROWS).map(({ name, cells, to }) => {
      const row = document.createElement("tr");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = String(name);
      button.setAttribute("aria-label", `${kind} ${name}`);
      button.addEventListener("click", () => enter({ .../** @type {Place} */ (place), ...to }));
      row.insertCell().append(button);
      for (const cell of cells) row.insertCell().textContent = typeof cell === "number" ? format(cell) : cell;
      return row;
    }));
  }

  /** Show the tables and the numbers of a step. @param {CloseUp} step @param {number | null} example */
  function showStep(step, example) {
    const { time, before, batch, rows, after, gradients, settings } = step;
    const { inputs } = training.data;
    const terms = stepData.terms(step, 0);
    numbers = {
      time, steps: settings.steps, n: batch.length, all: rows.length, others: Math.max(0, batch.length - MAX_ROWS),
      loss: sum(terms.map(({ loss }) => loss)) / batch.length, example: (example ?? 0) + 1,
    };
    const moved = (/** @type {number} */ i) => Math.abs(after[i] - before.weights[i]);
    fillTable("play-zoom-weights", "weight", [...after.keys()].sort((i, k) => moved(k) - moved(i)).map((weight) => ({
      name: weightName(weight), cells: [before.weights[weight], gradients[weight], after[weight]], to: { weight },
    })));
    fillTable("play-zoom-batch", "example", batch.map((i, k) => ({
      name: i + 1, cells: [formatList(rows[i].slice(0, inputs)), formatList(rows[i].slice(inputs)), terms[k].loss],
      to: { example: i },
    })));
  }

  /** Show the tables and the numbers of a weight. @param {CloseUp} step @param {number} weight @param {number | null} example */
  function showWeight(step, weight, example) {
    const { before, batch, after, gradients, settings } = step;
    const terms = stepData.terms(step, weight);
    const { layer, neuron, isShared } = stepData.connection(weight);
    const [old, gradient] = [before.weights[weight], gradients[weight]];
    Object.assign(numbers, {
      old, new: after[weight], gradient, grad: gradient + settings.weight_decay * old,
      sum: sum(terms.map(({ product }) => product)), ...terms[batch.indexOf(example ?? -1)],
    });
    const names = /** @type {Record<string, string>} */ ({ ...stepData.ends(weight), weight: weightName(weight) });
    for (const element of dialog.querySelectorAll("[data-name]")) element.textContent = names[element.dataset.name];
    showOnly("when", layer === shape.sizes.length - 1 ? "output" : "hidden", isShared ? "shared" : "single");
    const receivers = example === null ? [] : stepData.receivers(step, layer, neuron, example);
    numbers.back = sum(receivers.map(({ w, delta }) => w * delta));
    numbers.slope = numbers.back === 0 ? 0 : numbers.delta / numbers.back;
    fillTable("play-zoom-receivers", "neuron", receivers.map(({ weight: next, w, delta }) => ({
      name: stepData.ends(next).receiver, cells: [w, delta, w * delta], to: { weight: next },
    })));
    fillTable("play-zoom-terms", "example", terms.map(({ delta, signal, product, loss }, k) => ({
      name: batch[k] + 1, cells: [delta, signal, product, loss], to: { example: batch[k] },
    })));
  }

  /** Show a place of the close-up; null closes it. @param {Place | null} to */
  function show(to) {
    const from = place;
    if (to && training.time !== to.time) timeline.goTo(to.time);
    if (to && (!step || step.time !== training.time || !from)) step = stepData.take();
    if (!to || !step) {
      place = null;
      dialog.close();
      frame.hide();
      return;
    }
    place = { ...to, time: step.time };
    if (place.weight !== null && place.weight >= step.after.length) place.weight = null;
    if (place.example !== null && !step.batch.includes(place.example)) place.example = null;
    const level = levelOf(place);
    showStep(step, place.example);
    if (place.weight !== null) showWeight(step, place.weight, place.example);
    fill(dialog, null);
    showOnly("level", level);
    showOnly("shown", place.weight === null ? "none" : "weight");
    showOnly("optimizer", step.before.fields.optimizer);
    for (const crumb of dialog.querySelectorAll("nav button")) {
      crumb.hidden = /** @type {any} */ (place)[crumb.dataset.to] === null;
      crumb.toggleAttribute("aria-current", crumb.dataset.to === level);
    }
    byId("play-zoom-before").disabled = place.time - 1 <= training.history.first;
    byId("play-zoom-after").disabled = place.time === training.history.last;
    if (!dialog.open) dialog.showModal();
    if (levelOf(from) !== level) focusOn(level, from);
    if (level === "example") frame.show(step, place);
    else frame.hide();
  }

  /** Set the focus to the row that leads back, or else to the heading. @param {string} level @param {Place | null} from */
  function focusOn(level, from) {
    const section = dialog.querySelector(`section[data-level="${level}"]`);
    const names = [
      from && from.example !== null && `example ${from.example + 1}`,
      from && from.weight !== null && `weight ${weightName(from.weight)}`,
    ];
    const buttons = [...section.querySelectorAll("tbody button")];
    const back = buttons.find((button) => names.includes(button.getAttribute("aria-label")));
    (back ?? section.querySelector("h2")).focus();
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
    const to = { ...place, time: clamp(place.time + by, training.history.first + 1, training.history.last) };
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
    else if (event.key === "ArrowLeft") move(-1);
    else if (event.key === "ArrowRight") move(1);
    else return;
    event.preventDefault();
  });
  byId("play-zoom-before").addEventListener("click", () => move(-1));
  byId("play-zoom-after").addEventListener("click", () => move(1));
  byId("play-zoom-close").addEventListener("click", close);
  byId("play-look").addEventListener("click", () => open({}));
  for (const crumb of dialog.querySelectorAll("nav button")) {
    crumb.addEventListener("click", () => {
      const { to } = crumb.dataset;
      if (to === "none") close();
      else if (place && to !== levelOf(place)) enter({ ...place, example: null, weight: to === "weight" ? place.weight : null });
    });
  }
  return { open, weightName, get weight() { return place?.weight ?? null; } };
})();
