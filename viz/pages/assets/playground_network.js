// @ts-check
// The picture of the network: its neurons, one of which can be enlarged, and its weights as lines.

const MAX_DRAWN = 8; // neurons of a layer, or inputs

/**
 * A copy of a template, with numbers and names in the places in braces of its texts and attributes.
 * @param {string} id
 * @param {Record<string, string | number>} parts
 * @returns {any} its element
 */
function fromTemplate(id, parts) {
  const element = byId(id).content.firstElementChild.cloneNode(true);
  const fill = (/** @type {string} */ text) => text.replace(/\{(\w+)\}/g, (place, name) => String(parts[name] ?? place));
  for (const each of [element, ...element.querySelectorAll("*")]) {
    for (const attribute of each.attributes) attribute.value = fill(attribute.value);
    for (const node of each.childNodes) if (node.nodeType === Node.TEXT_NODE) node.data = fill(node.data);
  }
  return element;
}

const network = (() => {
  const frame = byId("play-network");
  /** @type {DrawnUnit[]} */
  const neurons = [];
  /** @type {DrawnUnit[]} */
  const outputUnits = [];
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
    const n = sizes.slice(1).reduce((sum, size) => sum + size, 0);
    const drawnLines = byId("play-lines");
    const drawnColumns = byId("play-columns");
    drawnLines.replaceChildren();
    drawnColumns.replaceChildren();
    for (const list of [neurons, outputUnits]) list.length = 0;
    lines = [];
    /** The pictures of the column before, by the index of their unit. @type {Map<number, HTMLElement>} */
    let sources = new Map();
    let first = 0;
    sizes.forEach((size, k) => {
      const kind = k === 0 ? "inputs" : k === last ? "output" : "hidden";
      const column = fromTemplate(`play-column-${kind}`, { layer: k, size });
      const pictures = new Map();
      for (const i of drawnIndices(size)) {
        if (i === null) {
          column.lastElementChild.append(fromTemplate("play-more", { more: size - MAX_DRAWN }));
        } else if (k === 0) {
          const element = fromTemplate("play-input", { i, name: dataset.names.inputs[i] });
          column.lastElementChild.append(element);
          pictures.set(i, element.querySelector("canvas"));
        } else {
          const { weights } = layers[k - 1][i];
          const name = k < last ? `z${i + 1}` : size > 1 ? `y${i + 1}` : "y";
          const element = fromTemplate(k < last ? "play-neuron" : "play-output-neuron", { name, layer: k });
          const canvas = element.querySelector("canvas");
          const unit = { element, canvas, a: first + i, z: n + first + i, layer: k, image: null };
          neurons.push(unit);
          if (k === last) outputUnits.push(unit);
          element.querySelector(".bias").dataset.bias = weights[0];
          element.addEventListener("click", () => toggle(unit));
          column.lastElementChild.append(element);
          pictures.set(i, canvas);
          for (const [source, from] of sources) drawnLines.append(line(weights[source + 1], names, from, canvas));
        }
      }
      drawnColumns.append(column);
      sources = pictures;
      if (k > 0) first += size;
    });
    if (byId("play-sizes")) byId("play-sizes").textContent = sizes.join("-");
    frame.style.setProperty("--rows", String(Math.max(...sizes.map((size) => Math.min(size, MAX_DRAWN + 1)))));
    frame.style.setProperty("--columns", String(sizes.length));
    select(null);
    placeLines();
    document.dispatchEvent(new Event("play-shape"));
  }

  /**
   * The line of a weight, which shows its number under the pointer.
   * @param {number} weight
   * @param {string[]} names
   * @param {HTMLElement} from
   * @param {HTMLElement} to
   */
  function line(weight, names, from, to) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "line");
    element.dataset.weight = String(weight);
    lines.push({ element, weight, from, to });
    element.addEventListener("pointerenter", () => {
      byId("play-weight-name").textContent = names[weight].replace(/.*\./, "");
      byId("play-weight-data").textContent = formatNumber(training.weights[weight], 4);
      byId("play-weight-gradient").textContent = formatNumber(training.gradients[weight], 4);
      byId("play-weight").hidden = false;
    });
    element.addEventListener("pointerleave", () => {
      byId("play-weight").hidden = true;
    });
    return element;
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
      element.setAttribute("x1", String(left.right - box.left));
      element.setAttribute("y1", String((left.top + left.bottom) / 2 - box.top));
      element.setAttribute("x2", String(right.left - box.left));
      element.setAttribute("y2", String((right.top + right.bottom) / 2 - box.top));
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
  return { neurons, outputUnits, build, drawLines, select };
})();
