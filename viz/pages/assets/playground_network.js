// @ts-check
// The picture of the network: its neurons, one of which can be enlarged, and its weights as lines.

const MAX_DRAWN = 8; // neurons of a layer, or inputs

const network = (() => {
  const frame = byId("play-network");
  /** @type {DrawnUnit[]} */
  const neurons = [];
  /** @type {{element: SVGLineElement, weight: number, from: HTMLElement, to: HTMLElement}[]} */
  let lines = [];

  /** The indices to draw of `n` units, with null for the middle of many. @param {number} n */
  function drawnIndices(n) {
    const indices = Array.from({ length: n }, (_, i) => i);
    if (n <= MAX_DRAWN + 1) return indices; // null needs as much room as one unit
    return [...indices.slice(0, MAX_DRAWN / 2), null, ...indices.slice(n - MAX_DRAWN / 2)];
  }

  /** Build the picture of the present shape. */
  function build() {
    const { sizes, layers, names } = shape;
    const last = sizes.length - 1;
    const n = layers.flat().length;
    for (const id of ["play-lines", "play-columns"]) byId(id).replaceChildren();
    neurons.length = 0;
    lines = [];
    /** The pictures of the column before, by the index of their unit. @type {Map<number, HTMLElement>} */
    let sources = new Map();
    let first = 0;
    sizes.forEach((size, k) => {
      const kind = k === 0 ? "inputs" : k === last ? "output" : "hidden";
      const column = fromTemplate(`play-column-${kind}`, { layer: k, size });
      const pictures = new Map();
      for (const i of drawnIndices(size)) {
        const element = i === null ? fromTemplate("play-more", { more: size - MAX_DRAWN })
          : k === 0 ? fromTemplate("play-input", { i, name: dataset.names.inputs[i] })
            : buildNeuron(i, k, { a: first + i, z: n + first + i });
        column.lastElementChild.append(element);
        if (i === null) continue;
        const picture = element.querySelector("canvas");
        pictures.set(i, picture);
        for (const [source, from] of sources) addLine(layers[k - 1][i].weights[source + 1], names, from, picture);
      }
      byId("play-columns").append(column);
      sources = pictures;
      if (k > 0) first += size;
    });
    if (byId("play-sizes")) byId("play-sizes").textContent = sizes.join("-");
    frame.style.setProperty("--rows", String(Math.max(...sizes.map((size) => Math.min(size, MAX_DRAWN + 1)))));
    frame.style.setProperty("--columns", String(sizes.length));
    select(null);
    placeLines();
    emit("play-shape");
  }

  /**
   * @param {number} i its index in the layer
   * @param {number} layer
   * @param {{a: number, z: number}} signals
   */
  function buildNeuron(i, layer, signals) {
    const isHidden = layer < shape.sizes.length - 1;
    const name = isHidden ? `z${i + 1}` : shape.sizes[layer] > 1 ? `y${i + 1}` : "y";
    const element = fromTemplate(isHidden ? "play-neuron" : "play-output-neuron", { name, layer });
    const unit = { element, canvas: element.querySelector("canvas"), layer, ...signals };
    neurons.push(unit);
    element.querySelector(".bias").dataset.bias = shape.layers[layer - 1][i].weights[0];
    for (const mark of element.querySelectorAll("[data-mark]")) {
      mark.title = document.querySelector(`[data-explains="${mark.dataset.mark}"]`)?.textContent;
    }
    element.addEventListener("click", () => toggle(unit));
    return element;
  }

  /**
   * Add the line of a weight, which shows its number under the pointer.
   * @param {number} weight
   * @param {string[]} names
   * @param {HTMLElement} from
   * @param {HTMLElement} to
   */
  function addLine(weight, names, from, to) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "line");
    element.dataset.weight = String(weight);
    lines.push({ element, weight, from, to });
    element.addEventListener("pointerenter", () => {
      byId("play-weight-name").textContent = names[weight].replace(/.*\./, "");
      byId("play-weight-data").textContent = formatNumber(training.weights[weight], 4);
      byId("play-weight-gradient").textContent = formatNumber(training.gradients[weight], 4);
      byId("play-weight").hidden = false;
    });
    element.addEventListener("pointerleave", () => (byId("play-weight").hidden = true));
    byId("play-lines").append(element);
  }

  function drawLines() {
    let size = 1;
    for (const w of training.weights) size = Math.max(size, Math.abs(w));
    for (const { element, weight } of lines) {
      const w = training.weights[weight];
      element.dataset.sign = String(Math.sign(w));
      element.style.strokeWidth = `${(0.6 + (9 * Math.abs(w)) / Math.max(4, size)).toFixed(2)}px`;
    }
    for (const bias of all("#play-network .bias")) bias.dataset.sign = Math.sign(training.weights[bias.dataset.bias]);
  }

  function placeLines() {
    const box = frame.getBoundingClientRect();
    for (const { element, from, to } of lines) {
      const [left, right] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
      const [x1, x2] = [left.right, right.left].map((x) => x - box.left);
      const [y1, y2] = [left, right].map(({ top, height }) => top + height / 2 - box.top);
      for (const [name, x] of Object.entries({ x1, y1, x2, y2 })) element.setAttribute(name, String(x));
    }
  }

  /** Enlarge a neuron, or show the output of the network. @param {DrawnUnit | null} unit */
  function select(unit) {
    shown.selected = unit;
    for (const { element } of neurons) element.setAttribute("aria-pressed", String(element === unit?.element));
    const title = byId("play-shown");
    title.textContent = unit?.element.querySelector(".spoken")?.textContent ?? title.dataset.output;
    marks.explain();
  }

  /** @param {DrawnUnit} unit */
  function toggle(unit) {
    select(shown.selected === unit ? null : unit);
    planes.drawPlane();
    if (!unit.element.matches(":focus-visible")) unit.element.blur(); // so that the keys train again
  }

  new ResizeObserver(() => {
    placeLines();
    planes.drawPlane();
  }).observe(frame);
  return { neurons, build, drawLines };
})();
