// @ts-check
// Layers and neurons that are added and removed.

const structure = (() => {
  const first = training.data.weights;

  /** Begin again with the first weights of the chosen scheme, and of the seed if they are not those of the model. */
  function drawWeights() {
    const scheme = byId("play-first-weights")?.value ?? "";
    progress.keep();
    const { seed } = training.data;
    shape.source = scheme || !shape.hasRecordedSizes ? { scheme, seed } : null;
    training.data.weights = shape.source ? shape.draw(shape.source) : first;
    player.reset();
  }

  /**
   * Give the hidden layers other sizes and another activation, and begin again.
   * @param {number[]} hiddenSizes
   * @param {string} activation
   */
  function change(hiddenSizes, activation = shape.hidden) {
    progress.keep();
    const isSame = String(hiddenSizes) === String(shape.hiddenSizes);
    shape.hiddenSizes = hiddenSizes;
    shape.hidden = activation;
    if (byId("play-activation")) byId("play-activation").value = activation;
    training.code = training.build();
    if (!isSame) show();
    drawWeights();
  }

  /** Show the layers, and what can be done with them. */
  function show() {
    const focused = document.activeElement?.getAttribute("aria-label");
    network.build();
    planes.drawInputs();
    const { hiddenSizes, maxSizes } = shape;
    const n = hiddenSizes.length;
    byId("play-activation")?.closest("label").toggleAttribute("hidden", n === 0);
    byId("play-sums").hidden = n === 0 || shape.inputs === 1;
    if (!isStack) return;
    for (const button of all("[data-neurons]")) {
      const k = Number(button.closest("[data-layer]").dataset.layer) - 1;
      const size = hiddenSizes[k] + Number(button.dataset.neurons);
      offer(button, size >= 1 && size <= maxSizes[k], maxSizes[k], () => change(hiddenSizes.with(k, size)));
      if (button.getAttribute("aria-label") === focused) button.focus();
    }
    offer(byId("play-add-layer"), n < maxSizes.length, maxSizes.length, () => {
      change([...hiddenSizes, Math.min(hiddenSizes[n - 1] ?? 4, maxSizes[n])]);
    });
    offer(byId("play-remove-layer"), n > 0, maxSizes.length, () => change(hiddenSizes.slice(0, -1)));
    byId("play-layers").textContent = String(n);
  }

  /**
   * Connect a button to an action, or explain in its title why it is off.
   * @param {HTMLButtonElement} button
   * @param {boolean} isPossible
   * @param {number} limit
   * @param {() => void} act
   */
  function offer(button, isPossible, limit, act) {
    button.setAttribute("aria-disabled", String(!isPossible));
    button.title = (isPossible ? button.ariaLabel : fillPlaces(button.dataset.limit ?? "", { most: limit })) ?? "";
    button.onclick = isPossible ? act : null;
  }

  const isStack = !shape.data.layers;
  if (!isStack) {
    byId("play-structure").remove();
    byId("play-first-weights").closest("label").remove();
    byId("play-column-hidden").content.querySelector(".change").remove();
  }
  if (!shape.data.choices.length) byId("play-activation").closest("label").remove();
  byId("play-first-weights")?.addEventListener("change", drawWeights);
  byId("play-activation")?.addEventListener("change", (/** @type {any} */ event) => {
    change(shape.hiddenSizes, event.target.value);
  });
  /** @type {StatePart} */
  const state = {
    save: () => (shape.isRecorded ? undefined : { sizes: shape.hiddenSizes, activation: shape.hidden }),
    restore(value) {
      const { choices, hidden, sizes } = shape.data;
      const { maxSizes } = shape;
      const isRight = isStack && Array.isArray(value?.sizes) && value.sizes.length <= maxSizes.length
        && value.sizes.every((/** @type {any} */ n, /** @type {number} */ k) => Number.isInteger(n) && clamp(n, 1, maxSizes[k]) === n);
      const activation = choices.includes(value?.activation) ? value.activation : hidden;
      change(isRight ? value.sizes : sizes.slice(1, -1), activation);
    },
  };
  return { change, drawWeights, show, state };
})();
