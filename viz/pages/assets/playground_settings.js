// @ts-check
// Settings, which count from the next step on.

{
  /**
   * Let a field be a number of the training.
   * @param {string} id
   * @param {() => number | undefined} get undefined if there is no such number now
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
  const settings = () => training.settings[training.optimizer];
  const shows = [...["learning rate", "momentum", "weight decay"].map((name) => {
    const key = name.replace(" ", "_");
    return numberOf(`play-${name.replace(" ", "-")}`, () => settings()[key], (x) => {
      training.noteChange();
      settings()[key] = x;
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

  byId("play-first-weights").addEventListener("change", structure.drawWeights);
  byId("play-activation")?.addEventListener("change", (/** @type {any} */ event) => {
    structure.change(shape.hiddenSizes, event.target.value);
  });
}
