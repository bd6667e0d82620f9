// @ts-check
// Examples that are added, moved and removed in the plane, by pointer and by keys.

/**
 * @typedef {object} Plane what the drawing lends to this
 * @property {HTMLCanvasElement} canvas
 * @property {number[]} axes the inputs that go across and up
 * @property {number[]} held the values of the others
 * @property {number[][]} ranges
 * @property {() => void} draw
 * @property {() => void} changed the examples have changed: forget the curve's last scores, and draw
 */

/** @param {Plane} plane */
function editExamples({ canvas, axes, held, ranges, draw, changed }) {
  const { inputs, task, train } = training.data;
  const toggle = byId("play-edit");
  if (!toggle) return { cursor: () => null };
  /** The place of the keyboard, as shares of the plane. */
  const cursor = [0.5, 0.5];
  const isOn = () => toggle.checked;

  /** The target of a new example. */
  function target() {
    if (task === "number") return [byId("play-target").valueAsNumber || 0];
    const k = Number(/** @type {HTMLInputElement} */ (document.querySelector("[name=play-class]:checked")).value);
    if (task === "classes") return Array.from({ length: training.data.outputs }, (_, i) => Number(i === k));
    return [task === "hinge" ? 2 * k - 1 : k];
  }
  /** @param {number[]} row @param {number[]} shares from the left and from the bottom */
  function move(row, shares) {
    axes.forEach((axis, k) => {
      if (k === 0 || inputs > 1) row[axis] = ranges[axis][0] + shares[k] * (ranges[axis][1] - ranges[axis][0]);
    });
  }
  /** @param {number[]} shares */
  function add(shares) {
    if (train.length === training.room) return null;
    const row = [...held, ...target()];
    move(row, shares);
    train.push(row);
    return row;
  }
  /** The nearest example within a distance. @param {number[]} shares @param {number} reach */
  function nearest([x, y], reach) {
    /** @type {number[] | null} */
    let best = null;
    for (const row of train) {
      const [u, v] = axes.map((axis) => (row[axis] - ranges[axis][0]) / (ranges[axis][1] - ranges[axis][0]));
      const distance = Math.hypot(u - x, inputs > 1 ? v - y : 0);
      if (distance < reach) [best, reach] = [row, distance];
    }
    return best;
  }
  /** @param {number[] | null} row */
  function remove(row) {
    if (row && train.length > 1) train.splice(train.indexOf(row), 1);
  }
  function take() {
    training.readExamples();
    changed();
  }
  /** @param {MouseEvent} event */
  function shares(event) {
    const box = canvas.getBoundingClientRect();
    const share = (/** @type {number} */ x) => Math.max(0, Math.min(1, x));
    return [share((event.clientX - box.left) / box.width), share(1 - (event.clientY - box.top) / box.height)];
  }

  /** The example that is dragged. @type {number[] | null} */
  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (!isOn() || event.button) return;
    dragged = nearest(shares(event), 0.03) ?? add(shares(event));
    canvas.setPointerCapture(event.pointerId);
    take();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    move(dragged, shares(event));
    take();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      dragged = null;
    });
  }
  canvas.addEventListener("contextmenu", (event) => {
    if (!isOn()) return;
    event.preventDefault();
    dragged = null;
    remove(nearest(shares(event), 0.03));
    take();
  });
  canvas.addEventListener("keydown", (event) => {
    if (!isOn()) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (way) way.forEach((x, k) => (cursor[k] = Math.max(0, Math.min(1, cursor[k] + 0.025 * x))));
    else if (event.key === "Enter") add(cursor);
    else if (event.key === "Delete" || event.key === "Backspace") remove(nearest(cursor, 0.05));
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (way) draw();
    else take();
  });
  toggle.addEventListener("change", () => {
    for (const element of all("[data-editing]")) element.hidden = !isOn();
    canvas.tabIndex = isOn() ? 0 : -1;
    canvas.classList.toggle("editing", isOn());
    draw();
  });
  for (const name of ["focus", "blur"]) canvas.addEventListener(name, draw);
  return { cursor: () => (isOn() && document.activeElement === canvas ? cursor : null) };
}
