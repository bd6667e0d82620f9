// @ts-check
// Examples that are added, moved and removed in the plane, by mouse, touch and keys.

/**
 * @param {HTMLCanvasElement} canvas of the plane
 * @param {() => void} draw
 */
function editExamples(canvas, draw) {
  const { inputs, task, train } = training.data;
  const toggle = byId("play-edit");
  if (task !== "classes" && training.width > inputs + 1) {
    byId("play-examples").remove();
    return { cursor: () => null };
  }
  byId("play-target").closest("label").hidden = task !== "number" || inputs === 1;
  /** The position that the arrow keys move, as shares of the plane. */
  const cursor = [0.5, 0.5];
  const isOn = () => toggle.checked;

  /** The action of a click: to add an example of this class, or "remove". */
  const choice = () => /** @type {HTMLInputElement} */ (document.querySelector("[name=play-class]:checked")).value;

  /** @param {number[]} shares */
  function add(shares) {
    const target = task === "number" ? [byId("play-target").valueAsNumber || 0] : targetOf(Number(choice()));
    return dataset.add(Object.assign([...space.held, ...target], space.at(shares)));
  }
  /** The nearest example within a distance. @param {number[]} shares @param {number} reach */
  function nearest([x, y], reach) {
    /** @type {number[] | null} */
    let best = null;
    const isOnLine = inputs > 1 || task === "number";
    for (const row of train) {
      const [u, v] = space.place(row);
      const distance = Math.hypot(u - x, isOnLine ? v - y : 0);
      if (distance < reach) [best, reach] = [row, distance];
    }
    return best;
  }
  /** @param {number[] | null} row */
  const remove = (row) => {
    if (row) dataset.remove(row);
  };
  /** @param {MouseEvent} event */
  function shares(event) {
    const box = canvas.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width, 0, 1), clamp(1 - (event.clientY - box.top) / box.height, 0, 1)];
  }

  /** The example that is dragged. @type {number[] | null} */
  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (!isOn() || event.button) return;
    const near = nearest(shares(event), event.pointerType === "touch" ? 0.06 : 0.03);
    if (choice() === "remove") return remove(near);
    dragged = near ?? add(shares(event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (dragged) dataset.move(dragged, space.at(shares(event)));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => (dragged = null));
  }
  canvas.addEventListener("contextmenu", (event) => {
    if (!isOn()) return;
    event.preventDefault();
    dragged = null;
    remove(nearest(shares(event), 0.03));
  });
  canvas.addEventListener("keydown", (event) => {
    if (!isOn()) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    const isRemoval = event.key === "Delete" || event.key === "Backspace";
    if (way) {
      way.forEach((x, k) => (cursor[k] = clamp(cursor[k] + 0.025 * x, 0, 1)));
      draw();
    } else if (isRemoval || (event.key === "Enter" && choice() === "remove")) {
      remove(nearest(cursor, 0.05));
    } else if (event.key === "Enter") {
      add(cursor);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
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
