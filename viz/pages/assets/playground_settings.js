// @ts-check
// Settings, which apply from the next step on.

const settings = (() => {
  /**
   * Connect a field to a number of the training.
   * @param {string} id
   * @param {() => number | undefined} get undefined if the optimizer does not have this setting
   * @param {(x: number) => void} set
   */
  function numberOf(id, get, set) {
    const input = byId(id);
    const show = () => {
      const x = get();
      input.closest("label").hidden = x === undefined;
      input.value = x === undefined ? "" : String(x);
    };
    input.addEventListener("input", () => {
      const x = input.valueAsNumber;
      const isRight = input.value !== "" && input.validity.valid && Number.isFinite(x);
      input.setAttribute("aria-invalid", String(!isRight));
      if (isRight) set(x);
    });
    input.addEventListener("blur", () => {
      input.removeAttribute("aria-invalid");
      show();
    });
    show();
    return show;
  }
  const current = () => training.settings[training.optimizer];
  const shows = [...["learning rate", "momentum", "weight decay"].map((name) => {
    const key = name.replace(" ", "_");
    return numberOf(`play-${name.replace(" ", "-")}`, () => current()[key], (x) => {
      training.noteChange();
      current()[key] = x;
    });
  }), numberOf("play-batch-size", () => training.batch, (x) => {
    training.noteChange();
    training.batch = x;
  })];
  document.addEventListener("play-time", () => {
    byId("play-optimizer").value = training.optimizer;
    for (const show of shows) show();
  });
  numberOf("play-seed", () => training.data.seed, (x) => {
    training.data.seed = x;
    structure.drawWeights();
  });
  byId("play-optimizer").value = training.optimizer;
  byId("play-optimizer").addEventListener("change", (/** @type {any} */ event) => {
    training.choose(event.target.value);
    for (const show of shows) show();
  });

  byId("play-first-weights")?.addEventListener("change", structure.drawWeights);
  byId("play-activation")?.addEventListener("change", (/** @type {any} */ event) => {
    structure.change(shape.hiddenSizes, event.target.value);
  });

  const valueOf = (/** @type {any} */ control) => (control.type === "checkbox" ? control.checked : control.value);

  /** Set a control as a user would; what it does not allow is ignored. @param {any} control @param {any} x */
  function set(control, x) {
    if (x === valueOf(control)) return;
    const isNumber = typeof x === "string" && x !== "" && Number.isFinite(Number(x));
    if (control.type === "checkbox") control.checked = x === true;
    else if (control.options ? [...control.options].some(({ value }) => value === x) : isNumber) control.value = x;
    for (const name of ["input", "change", "blur"]) control.dispatchEvent(new Event(name));
  }

  /**
   * The values of controls as a part of the state.
   * @param {Record<string, any>} controls null for one that this page does not have
   * @returns {StatePart}
   */
  function partOf(controls, view = false) {
    const entries = Object.entries(controls).filter(([, control]) => control);
    const values = () => Object.fromEntries(entries.map(([name, control]) => [name, valueOf(control)]));
    const opening = values();
    return {
      view,
      save: () => (JSON.stringify(values()) === JSON.stringify(opening) ? undefined : values()),
      restore: (saved) => entries.forEach(([name, control]) => set(control, saved?.[name] ?? opening[name])),
    };
  }

  const controls = (/** @type {string[]} */ names) => Object.fromEntries(names.map((name) => [name, byId(`play-${name}`)]));
  const held = all("[data-held]").map((label) => [`held-${label.dataset.held}`, label.querySelector("input")]);
  return {
    state: partOf(controls(["optimizer", "learning-rate", "momentum", "weight-decay", "batch-size"])),
    weights: partOf(controls(["first-weights", "seed"])),
    view: partOf({ ...controls(["input-across", "input-up", "speed", "plateau"]), ...Object.fromEntries(held) }, true),
  };
})();
