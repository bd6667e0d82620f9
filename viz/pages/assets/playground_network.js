// @ts-check
// The picture of the network: its neurons, one of which can be shown in large, and its weights as lines.

const network = (() => {
  const frame = byId("play-network");
  /** @type {DrawnUnit[]} */
  const neurons = all("#play-network .unit[data-z]").map((element) => ({
    element, canvas: element.querySelector("canvas"), a: Number(element.dataset.a), z: Number(element.dataset.z),
    layer: Number(element.dataset.layer), image: null,
  }));
  const outputUnits = neurons.filter(({ layer }) => layer === shape.sizes.length - 1);
  const lines = all("#play-lines line").map((element) => ({ element, weight: Number(element.dataset.weight) }));

  function drawLines() {
    let size = 1;
    for (const w of training.weights) size = Math.max(size, Math.abs(w));
    for (const { element, weight } of lines) {
      const w = training.weights[weight];
      element.dataset.sign = Math.sign(w);
      element.style.strokeWidth = `${(0.6 + (9 * Math.abs(w)) / Math.max(4, size)).toFixed(2)}px`;
    }
    for (const bias of all("#play-network .bias")) bias.dataset.sign = Math.sign(training.weights[bias.dataset.bias]);
  }

  function placeLines() {
    const box = frame.getBoundingClientRect();
    for (const { element } of lines) {
      const [from, to] = [element.dataset.from, element.dataset.to]
        .map((id) => byId(id).querySelector("canvas").getBoundingClientRect());
      element.setAttribute("x1", from.right - box.left);
      element.setAttribute("y1", (from.top + from.bottom) / 2 - box.top);
      element.setAttribute("x2", to.left - box.left);
      element.setAttribute("y2", (to.top + to.bottom) / 2 - box.top);
    }
  }

  /** Show a neuron in large, or the answer of the network. @param {DrawnUnit | null} unit */
  function select(unit) {
    shown.selected = unit;
    for (const { element } of neurons) element.setAttribute("aria-pressed", String(element === unit?.element));
    byId("play-shown").textContent = (unit?.element ?? outputUnits[0].element).getAttribute("aria-label");
    if (!unit) byId("play-shown").textContent = byId("play-shown").dataset.answer;
    marks.explain();
  }

  for (const { element, weight } of lines) {
    element.addEventListener("pointerenter", () => {
      byId("play-weight-name").textContent = element.dataset.name;
      byId("play-weight-data").textContent = formatNumber(training.weights[weight], 4);
      byId("play-weight-gradient").textContent = formatNumber(training.gradients[weight], 4);
      byId("play-weight").hidden = false;
    });
    element.addEventListener("pointerleave", () => {
      byId("play-weight").hidden = true;
    });
  }

  for (const neuron of neurons) {
    neuron.element.addEventListener("click", () => {
      select(shown.selected === neuron ? null : neuron);
      planes.drawPlane();
      if (!neuron.element.matches(":focus-visible")) neuron.element.blur(); // so that the keys train again
    });
  }

  const columns = all("#play-network .units");
  frame.style.setProperty("--rows", String(Math.max(...columns.map(({ children }) => children.length))));
  frame.style.setProperty("--columns", String(columns.length));

  new ResizeObserver(() => {
    placeLines();
    planes.drawPlane();
  }).observe(frame);
  return { neurons, outputUnits, drawLines, select };
})();
