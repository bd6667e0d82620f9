// @ts-check
// Settings, which apply from the next step on.

const settings = (() => {
  /**
   * Connect a field to a number of the training.
   * @param {string} name
   * @param {() => number | undefined} get undefined if the optimizer does not have this setting
   * @param {(x: number) => void} set
   */
  function connect(name, get, set) {
    const input = byId(`play-${name}`);
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
    on("play-time play-optimizer", show);
    show();
  }

  /** Connect a slider to a percentage. @param {string} name @param {() => number} get @param {(x: number) => void} set */
  function connectShare(name, get, set) {
    const [input, text] = [byId(`play-${name}-share`), byId(`play-${name}-percent`)];
    const show = () => {
      text.textContent = String(Math.round(100 * get()));
      input.setAttribute("aria-valuetext", text.parentElement.textContent);
      if (document.activeElement !== input) input.value = String(100 * get());
    };
    input.addEventListener("input", () => set(input.valueAsNumber / 100));
    on("play-data", show);
    show();
  }

  for (const name of ["learning-rate", "momentum", "weight-decay"]) {
    const current = () => training.settings[training.optimizer];
    const key = name.replace("-", "_");
    connect(name, () => current()[key], (x) => {
      training.noteChange();
      current()[key] = x;
    });
  }
  connect("batch-size", () => training.batch, (x) => {
    training.noteChange();
    training.batch = x;
  });
  connect("seed", () => training.data.seed, (x) => {
    training.data.seed = x;
    structure.drawWeights();
  });
  connectShare("test", () => dataset.share, (x) => dataset.split(x));
  connectShare("noise", () => dataset.noise, (x) => dataset.setNoise(x));

  const optimizer = byId("play-optimizer");
  const showOptimizer = () => {
    optimizer.value = training.optimizer;
  };
  on("play-time", showOptimizer);
  showOptimizer();
  optimizer.addEventListener("change", () => {
    training.choose(optimizer.value);
    emit("play-optimizer");
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
   * @param {string[]} names of those that this page can have
   * @returns {StatePart}
   */
  function partOf(names, view = false) {
    const controls = names.map((name) => byId(`play-${name}`)).filter((control) => control);
    const values = () => Object.fromEntries(controls.map((control) => [control.id.slice(5), valueOf(control)]));
    const opening = values();
    return {
      view,
      save: () => (JSON.stringify(values()) === JSON.stringify(opening) ? undefined : values()),
      restore: (saved) => Object.keys(opening).forEach((name) => set(byId(`play-${name}`), saved?.[name] ?? opening[name])),
    };
  }

  const held = all("[data-held] input").map(({ id }) => id.slice(5));
  return {
    state: partOf(["optimizer", "learning-rate", "momentum", "weight-decay", "batch-size"]),
    weights: partOf(["first-weights", "seed"]),
    view: partOf(["input-across", "input-up", "speed", "plateau", ...held], true),
  };
})();
