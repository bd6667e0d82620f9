// @ts-check
// The stage: the drawing, and the camera over it.

const stage = part("stage");
/** @type {SVGSVGElement} */
const drawing = stage.querySelector("svg");
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {{x: number, y: number, scale: number}} View */

/**
 * The box around the outline of a node, or around the line of an edge, in the units of the graph.
 * @param {Element} group
 */
function outlineOf(group) {
  const shape = /** @type {Element} */ (group.querySelector("path, polygon, ellipse") ?? group.querySelector("text"));
  const [x, y, rx, ry] = ["cx", "cy", "rx", "ry"].map((name) => Number(shape.getAttribute(name) ?? 0));
  if (rx) return new DOMRect(x - rx, y - ry, 2 * rx, 2 * ry);
  const points = shape.getAttribute("d") ?? shape.getAttribute("points") ?? `${shape.getAttribute("x")},${shape.getAttribute("y")}`;
  const numbers = points.match(/-?[\d.]+/g)?.map(Number) ?? [];
  const [xs, ys] = [0, 1].map((parity) => numbers.filter((_, i) => i % 2 === parity));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return new DOMRect(left, top, Math.max(...xs) - left, Math.max(...ys) - top);
}

// The camera: `view` is the point of the drawing at the centre of the stage, and the scale in pixels per unit.

/** The whole drawing. */
const paper = DOMRect.fromRect(drawing.viewBox.baseVal);
/** The box of each node and edge, in units of the drawing. @type {Map<string, DOMRect>} */
const boxes = new Map();
let view = wholeView();
/** @type {number | null} */
let userScale = null; // the scale that the user chose: 0 is the whole drawing, null leaves it to the page
let animation = 0;
/** @type {string[]} */
const leafIds = page.steps[0].actions.flatMap(([, ...nodes]) => nodes.flatMap((i) => page.data.drawing.nodes[i]));

function wholeScale() {
  return Math.min(stage.clientWidth / paper.width, stage.clientHeight / paper.height, 2.5) * 0.96;
}

function wholeView() {
  return { x: paper.x + paper.width / 2, y: paper.y + paper.height / 2, scale: wholeScale() };
}

/** @param {View} target */
function setView(target) {
  view = target;
  if (!stage.clientWidth || !view.scale) return; // it has no size yet
  const width = stage.clientWidth / view.scale;
  const height = stage.clientHeight / view.scale;
  drawing.setAttribute("viewBox", [view.x - width / 2, view.y - height / 2, width, height].join(" "));
  page.emit("view");
}

/**
 * @param {View} target
 * @param {boolean} [instantly]
 */
function moveTo(target, instantly) {
  cancelAnimationFrame(animation);
  if (instantly || reducedMotion.matches || document.hidden) return setView(target);
  const source = view;
  const start = performance.now();
  const tick = (/** @type {number} */ now) => {
    const t = clamp((now - start) / 350, 0, 1);
    const share = t * t * (3 - 2 * t);
    const between = (/** @type {keyof View} */ key) => source[key] + (target[key] - source[key]) * share;
    if (t === 1) return setView(target);
    setView({ x: between("x"), y: between("y"), scale: between("scale") });
    animation = requestAnimationFrame(tick);
  };
  animation = requestAnimationFrame(tick);
}

/**
 * Move lit elements into view, and no further than needed; if nothing is lit, show the whole drawing.
 * @param {boolean} [instantly]
 */
function followStep(instantly, step = page.state.step) {
  const { lit: highlighted, focus } = page.steps[step];
  const readable = clamp(stage.clientWidth / 1280, 0.8, 1.6);
  const isTiny = userScale === null && wholeScale() < 0.3 * readable; // then the leaves stand for the whole drawing
  const ids = highlighted.length || !isTiny ? highlighted : leafIds;
  const lit = ids.map((id) => boxes.get(id)).filter((box) => box !== undefined);
  const fitting = wholeScale() >= 0.7 * readable ? wholeScale() : readable;
  const scale = userScale === null ? fitting : userScale || wholeScale();
  if (!lit.length || scale <= wholeScale()) return moveTo(wholeView(), instantly);
  const margin = Math.max(24, (0.1 * stage.clientWidth) / scale);
  const fit = (/** @type {DOMRect} */ area) => Math.min(scale, stage.clientWidth / area.width, stage.clientHeight / area.height);
  const node = boxes.get(focus);
  let area = around(lit, margin, 24);
  if (node && fit(area) < 0.45 * scale) { // too small to read: show only the surroundings of the node
    area = around([node], margin + (0.2 * stage.clientWidth) / scale, 24 + (0.25 * stage.clientHeight) / scale);
  }
  const limits = around([paper], margin, margin);
  const [width, height] = [stage.clientWidth / fit(area), stage.clientHeight / fit(area)];
  moveTo({
    x: nearestCentre(view.x, width, [area.left, area.right], [limits.left, limits.right]),
    y: nearestCentre(view.y, height, [area.top, area.bottom], [limits.top, limits.bottom]),
    scale: fit(area),
  }, instantly);
}

/**
 * The smallest box around others, with margins.
 * @param {DOMRect[]} others
 * @param {number} marginX
 * @param {number} marginY
 */
function around(others, marginX, marginY) {
  const left = Math.min(...others.map((box) => box.left)) - marginX;
  const right = Math.max(...others.map((box) => box.right)) + marginX;
  const top = Math.min(...others.map((box) => box.top)) - marginY;
  const bottom = Math.max(...others.map((box) => box.bottom)) + marginY;
  return new DOMRect(left, top, right - left, bottom - top);
}

/**
 * The centre nearest to `centre` with which a view of some size contains an area and stays within limits.
 * @param {number} centre
 * @param {number} size
 * @param {[number, number]} area from, to
 * @param {[number, number]} limits
 */
function nearestCentre(centre, size, area, limits) {
  if (limits[1] - limits[0] <= size) return (limits[0] + limits[1]) / 2;
  const nearest = clamp(centre, area[1] - size / 2, area[0] + size / 2);
  return clamp(nearest, limits[0] + size / 2, limits[1] - size / 2);
}

/**
 * Zoom by a factor, about the point (px, py) of the stage.
 * @param {number} factor
 */
function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2, instantly = false) {
  const scale = clamp(view.scale * factor, wholeScale() / 2, 8);
  const change = 1 / view.scale - 1 / scale;
  const [x, y] = [px - stage.clientWidth / 2, py - stage.clientHeight / 2];
  userScale = scale;
  moveTo({ x: view.x + x * change, y: view.y + y * change, scale }, instantly);
}

/**
 * Zoom about the position of a pointer event.
 * @param {MouseEvent} event
 * @param {number} factor
 */
function zoomAt(event, factor) {
  const area = stage.getBoundingClientRect();
  zoom(factor, event.clientX - area.left, event.clientY - area.top, true);
}

// One pointer drags, two pinch; a press that moves less than 5 pixels is a click.

/** @type {Map<number, PointerEvent>} */
const pointers = new Map();
let panned = 0; // how far the pointers moved since they were pressed

stage.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
  if (event.button) return;
  if (!pointers.size) panned = 0;
  pointers.set(event.pointerId, event);
});
addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  pointers.set(event.pointerId, event);
  const dx = event.clientX - before.clientX;
  const dy = event.clientY - before.clientY;
  panned += Math.abs(dx) + Math.abs(dy);
  if (panned < 5) return;
  stage.classList.add("dragged");
  cancelAnimationFrame(animation);
  const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
  if (other) {
    const distance = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    zoomAt(other, distance(event) / distance(before));
  } else {
    setView({ ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale });
  }
});
for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
  addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) stage.classList.remove("dragged");
  });
}
stage.addEventListener("wheel", (/** @type {WheelEvent} */ event) => {
  event.preventDefault();
  const pixels = event.deltaY * (event.deltaMode ? 30 : 1);
  zoomAt(event, Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)));
}, { passive: false });


Object.assign(COMMANDS, {
  smaller: () => zoom(1 / 1.25),
  larger: () => zoom(1.25),
  whole: () => {
    userScale = 0;
    moveTo(wholeView());
  },
});
Object.assign(KEYS, { "+": "larger", "=": "larger", "-": "smaller", 0: "whole" });

addEventListener("beforeprint", () => {
  drawing.setAttribute("viewBox", [paper.x, paper.y, paper.width, paper.height].join(" "));
});

/** Place the words beside the drawing if it can be larger there than above them. */
function arrange() {
  const above = Math.min(innerWidth / paper.width, (0.5 * innerHeight) / paper.height, 2.5);
  const beside = Math.min((0.6 * innerWidth) / paper.width, (0.8 * innerHeight) / paper.height, 2.5);
  document.body.classList.toggle("beside", innerWidth > 900 && beside > 1.1 * above);
}

// Geometry is read from the drawing, not measured: a page in a hidden frame has no layout yet.
const [offsetX, offsetY] = /translate\(([-\d.]+)[ ,]([-\d.]+)\)/.exec(
  drawing.querySelector("g")?.getAttribute("transform") ?? "",
)?.slice(1).map(Number) ?? [0, 0];
for (const group of drawing.querySelectorAll(".node, .edge")) {
  const { x, y, width, height } = outlineOf(group);
  boxes.set(group.id, new DOMRect(x + offsetX, y + offsetY, width, height));
}
arrange();
setView(wholeView());
addEventListener("resize", arrange);
new ResizeObserver(() => followStep(true)).observe(stage);

page.on("show", ({ moment, previous, instantly }) => {
  if (moment.step !== previous?.step) followStep(instantly); // a change of numbers does not move the picture
});
page.on("ask", (/** @type {number} */ step) => followStep(false, step)); // a question is about the nodes of the next step

// The place and scale that the user chose are part of the link.
page.extras.view = {
  save: () => (userScale === null ? undefined : [view.x, view.y, userScale].map((x) => Math.round(1000 * x) / 1000)),
  restore(/** @type {any} */ saved) {
    const isView = Array.isArray(saved) && saved.length === 3 && saved.every(Number.isFinite);
    userScale = isView ? clamp(saved[2], 0, 8) : null;
    if (!userScale) return followStep(true);
    const [x, y] = [clamp(saved[0], paper.left, paper.right), clamp(saved[1], paper.top, paper.bottom)];
    setView({ x, y, scale: userScale });
  },
};
