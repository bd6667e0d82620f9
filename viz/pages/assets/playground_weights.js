// @ts-check
// The lines of the network, which open their weights in the close-up, by pointer, touch and keys.

{
  const section = byId("play-network");
  const group = byId("play-lines");
  const lines = () => all("#play-lines line");
  const open = (/** @type {string} */ weight) => closeUp.open({ weight: Number(weight) });

  /** Let the keys reach the lines: one of them by Tab, the others by the arrow keys. */
  function prepare() {
    for (const [i, line] of lines().entries()) {
      line.setAttribute("role", "button");
      line.setAttribute("tabindex", i === 0 ? "0" : "-1");
      line.setAttribute("aria-label", `weight ${closeUp.weightName(Number(line.dataset.weight))}`);
    }
  }

  /** The line of a weight that is nearest, if one is near. @param {MouseEvent} event */
  function nearest(event) {
    const box = section.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [null, 14];
    for (const line of lines()) {
      const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) => Number(line.getAttribute(name)));
      const [width, height] = [x2 - x1, y2 - y1];
      const share = clamp(((x - x1) * width + (y - y1) * height) / (width ** 2 + height ** 2), 0, 1);
      const distance = Math.hypot(x1 + share * width - x, y1 + share * height - y);
      if (distance < least) [best, least] = [line, distance];
    }
    return best;
  }

  section.addEventListener("click", (/** @type {any} */ event) => {
    const bias = event.target.closest(".bias");
    if (bias) event.stopPropagation();
    const isOther = event.target.closest("button, .unit, a, input, select");
    const line = event.target.closest("line") ?? (isOther ? null : nearest(event));
    const weight = bias?.dataset.bias ?? line?.dataset.weight;
    if (weight !== undefined) open(weight);
  }, { capture: true });
  group.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const list = lines();
    const i = list.indexOf(event.target);
    const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (way) {
      const next = list[(i + way + list.length) % list.length];
      for (const line of list) line.setAttribute("tabindex", line === next ? "0" : "-1");
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      open(list[i].dataset.weight);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  // The listeners are those of the section, since an SVG element with them is in the order of Tab.
  for (const [name, other] of [["focusin", "pointerenter"], ["focusout", "pointerleave"]]) {
    section.addEventListener(name, (/** @type {Event} */ event) => event.target?.dispatchEvent(new Event(other)));
  }
  prepare();
  on("play-shape", prepare);
}
