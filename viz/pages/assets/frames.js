"use strict";

// The page shows one frame at a time: texts and highlights in the drawing, lines below it, and a camera that follows.

// The frames, as in viz.pages.frames.py, and the description of each node by its id.
const { frames, descriptions } = JSON.parse(document.getElementById("page-data").textContent);
const part = (name) => document.getElementById("page-" + name);
const [stage, lines, card, slider, play] = ["stage", "lines", "card", "slider", "play"].map(part);
const drawing = stage.querySelector("svg");
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const clamp = (x, low, high) => Math.max(low, Math.min(high, x));
const last = frames.length - 1;
let current = 0; // the index of the frame that is shown

// The text elements that frames change, and the nodes that contain them.
const textIds = frames.flatMap((frame) => Object.keys(frame.texts));
const texts = new Map(textIds.map((id) => [id, document.getElementById(id)]));
const nodes = [...drawing.querySelectorAll(".node")];
const describedNodes = nodes.filter((node) => node.id in descriptions);
const textsIn = new Map(nodes.map((node) => [node, [...texts.values()].filter((text) => node.contains(text))]));

/** The index of the frame that a click on a node shows, in the current phase if possible; -1 if there is none. */
function frameOf(node) {
  const changesText = (frame) => textsIn.get(node).some((text) => text.id in frame.texts);
  for (const candidates of [frames.filter((frame) => frame.phase === frames[current].phase), frames]) {
    const frame = candidates.find((each) => each.node === node.id)
      ?? candidates.findLast(changesText)
      ?? candidates.find((each) => each.highlighted.includes(node.id));
    if (frame) return frames.indexOf(frame);
  }
  return -1;
}

/** Show frame i; everything on the page follows from its number. */
function show(i, instantly = false) {
  const isNext = i === current + 1;
  current = clamp(i, 0, last);
  const frame = frames[current];
  document.body.dataset.phase = frame.phase;
  showTexts(frame);
  for (const lit of drawing.querySelectorAll(".lit, .now")) lit.classList.remove("lit", "now");
  for (const id of frame.highlighted) document.getElementById(id).classList.add("lit");
  if (frame.node) document.getElementById(frame.node).classList.add("now");
  animateEdges(isNext && current === i && !instantly && !reducedMotion.matches);
  showLines(frame);
  showPosition(frame);
  followFrame(instantly);
  showCard();
}

/** Show in the drawing the texts and attributes of all frames up to this one. */
function showTexts(frame) {
  const shown = frames.slice(0, current + 1);
  for (const [id, attributes] of shown.flatMap((each) => Object.entries(each.attributes))) {
    for (const [name, value] of Object.entries(attributes)) document.getElementById(id).setAttribute(name, value);
  }
  const contents = Object.assign({}, ...shown.map((each) => each.texts));
  for (const [id, text] of texts) {
    text.textContent = contents[id] || "";
    text.classList.toggle("new", id in frame.texts);
  }
  for (const [node, inside] of textsIn) {
    node.classList.toggle("waiting", inside.length > 0 && inside.every((text) => !text.textContent));
  }
  for (const node of describedNodes) node.setAttribute("aria-label", [descriptions[node.id], ...numbersIn(node)].join(", "));
}

function numbersIn(node) {
  return textsIn.get(node).map((text) => text.textContent).filter(Boolean);
}

function showPosition(frame) {
  slider.value = current;
  slider.setAttribute("aria-valuetext", frame.title);
  for (const [name, end] of [["first", 0], ["back", 0], ["next", last], ["last", last]]) {
    part(name).setAttribute("aria-disabled", current === end);
  }
}

/** Draw one stroke along each lit edge, in the direction in which the numbers flow. */
function animateEdges(animated) {
  for (const stroke of drawing.querySelectorAll(".flow")) stroke.remove();
  for (const edge of drawing.querySelectorAll(".edge")) {
    edge.classList.toggle("flowing", animated && edge.classList.contains("lit"));
    if (!edge.classList.contains("flowing")) continue;
    const path = edge.querySelector("path");
    const stroke = path.cloneNode();
    stroke.setAttribute("pathLength", 1);
    stroke.setAttribute("class", "flow");
    stroke.style.setProperty("--from", frames[current].phase === "backward" ? -1 : 1);
    stroke.addEventListener("animationend", () => {
      stroke.remove();
      edge.classList.remove("flowing");
    });
    path.after(stroke);
  }
}

function element(name, ...content) {
  const result = document.createElement(name);
  result.append(...content);
  return result;
}

/** Show the lines below the drawing: they break before an equals sign if they must, and end in a bold result. */
function showLines(frame) {
  const paragraphs = frame.lines.map((line) => {
    const pieces = line.split(/(?= \+?= | passes back )/);
    const result = /^( = )(\S+)$/.exec(pieces.at(-1));
    const spans = pieces.map((piece) => element("span", piece));
    if (result) spans.at(-1).replaceChildren(result[1], element("strong", result[2]));
    return element("p", ...spans);
  });
  lines.replaceChildren(element("h2", frame.title), ...paragraphs);
  fitLines();
}

/** Choose the largest type with which the lines fit in their panel, if possible without a break within a piece. */
function fitLines() {
  const largest = innerWidth <= 700 ? 22 : Math.max(20, Math.min(innerWidth / 36, innerHeight / 18));
  const hasBreaks = (size) => [...lines.querySelectorAll("span")].some((span) => span.offsetHeight > 2 * size);
  const fits = (size, whole) => {
    for (const p of lines.querySelectorAll("p")) p.style.fontSize = size + "px";
    return lines.scrollHeight <= lines.clientHeight && !(whole && hasBreaks(size));
  };
  const sizes = Array.from({ length: Math.ceil(largest - 15) }, (_, i) => Math.max(16, largest - i));
  const [least, most] = document.body.classList.contains("beside") ? [0.5, 0.7] : [0.75, 1]; // narrow or wide
  const unbroken = sizes.some((size) => size >= least * largest && fits(size, true));
  if (!unbroken) sizes.some((size) => size <= most * largest && fits(size, false));
  lines.scrollTop = 0;
}

// The camera: `view` is the point of the drawing at the centre of the stage, and the scale in pixels per unit.

const [x, y, width, height] = drawing.getAttribute("viewBox").split(/[ ,]+/).map(Number);
const paper = { x, y, width, height };
const boxes = new Map(); // the bounding box of each node and edge, in units of the drawing
let view = wholeView();
let userScale = null; // the scale that the user chose: 0 is the whole drawing, null leaves it to the page
let animation = 0;

function wholeScale() {
  return Math.min(stage.clientWidth / paper.width, stage.clientHeight / paper.height, 2.5) * 0.96;
}

function wholeView() {
  return { x: paper.x + paper.width / 2, y: paper.y + paper.height / 2, scale: wholeScale() };
}

function setView(target) {
  view = target;
  const width = stage.clientWidth / view.scale;
  const height = stage.clientHeight / view.scale;
  drawing.setAttribute("viewBox", [view.x - width / 2, view.y - height / 2, width, height].join(" "));
}

function moveTo(target, instantly) {
  cancelAnimationFrame(animation);
  if (instantly || reducedMotion.matches || document.hidden) {
    setView(target);
    return;
  }
  const source = view;
  const start = performance.now();
  const tick = (now) => {
    const t = clamp((now - start) / 350, 0, 1);
    const share = t * t * (3 - 2 * t);
    const between = (key) => source[key] + (target[key] - source[key]) * share;
    setView(t < 1 ? { x: between("x"), y: between("y"), scale: between("scale") } : target);
    if (t < 1) animation = requestAnimationFrame(tick);
    else showCard();
  };
  animation = requestAnimationFrame(tick);
}

/** Move lit elements into view, and no further than needed; if nothing is lit, show the whole drawing. */
function followFrame(instantly) {
  const lit = frames[current].highlighted.map((id) => boxes.get(id)).filter(Boolean);
  const readable = clamp(stage.clientWidth / 1280, 0.8, 1.6);
  const scale = userScale === null ? Math.max(wholeScale(), readable) : userScale || wholeScale();
  if (!lit.length || scale <= wholeScale()) {
    moveTo(wholeView(), instantly);
    return;
  }
  const margin = Math.max(24, (0.1 * stage.clientWidth) / scale);
  const fit = (area) => Math.min(scale, stage.clientWidth / area.width, stage.clientHeight / area.height);
  const node = boxes.get(frames[current].node);
  let area = around(lit, margin, 24);
  if (node && fit(area) < 0.45 * scale) { // too small to read: show only the surroundings of the node
    area = around([node], margin + (0.2 * stage.clientWidth) / scale, 24 + (0.25 * stage.clientHeight) / scale);
  }
  const limits = around([paper], margin, margin);
  moveTo({
    x: nearestCentre(view.x, stage.clientWidth / fit(area), area.x, area.width, limits.x, limits.width),
    y: nearestCentre(view.y, stage.clientHeight / fit(area), area.y, area.height, limits.y, limits.height),
    scale: fit(area),
  }, instantly);
}

/** The smallest box around others, with margins. */
function around(others, marginX, marginY) {
  const left = Math.min(...others.map((box) => box.x)) - marginX;
  const right = Math.max(...others.map((box) => box.x + box.width)) + marginX;
  const top = Math.min(...others.map((box) => box.y)) - marginY;
  const bottom = Math.max(...others.map((box) => box.y + box.height)) + marginY;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The centre nearest to `centre` with which a view of some size contains an area and stays within limits. */
function nearestCentre(centre, size, areaStart, areaSize, limitStart, limitSize) {
  if (limitSize <= size) return limitStart + limitSize / 2;
  const nearest = clamp(centre, areaStart + areaSize - size / 2, areaStart + size / 2);
  return clamp(nearest, limitStart + size / 2, limitStart + limitSize - size / 2);
}

/** Zoom by a factor, about the point (px, py) of the stage. */
function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2, instantly = false) {
  const scale = clamp(view.scale * factor, wholeScale() / 2, 8);
  const dx = px - stage.clientWidth / 2;
  const dy = py - stage.clientHeight / 2;
  userScale = scale;
  moveTo({ x: view.x + dx / view.scale - dx / scale, y: view.y + dy / view.scale - dy / scale, scale }, instantly);
}

/** Zoom about the position of a pointer event. */
function zoomAt(event, factor) {
  const area = stage.getBoundingClientRect();
  zoom(factor, event.clientX - area.left, event.clientY - area.top, true);
}

// One pointer drags, two pinch; a press that moves less than 5 pixels is a click.

const pointers = new Map();
let moved = 0;

stage.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, event);
});
addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  pointers.set(event.pointerId, event);
  const dx = event.clientX - before.clientX;
  const dy = event.clientY - before.clientY;
  moved += Math.abs(dx) + Math.abs(dy);
  if (moved < 5) return;
  stage.classList.add("dragged");
  cancelAnimationFrame(animation);
  card.hidden = true;
  const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
  if (other) {
    const distance = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    zoomAt(other, distance(event) / distance(before));
  } else {
    setView({ ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale });
  }
});
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) stage.classList.remove("dragged");
  });
}
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const pixels = event.deltaY * (event.deltaMode ? 30 : 1);
  zoomAt(event, Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)));
}, { passive: false });

// The card: the full description of the node under the mouse or with the focus.

let cardNode = null;

function showCard(node = cardNode) {
  cardNode = node;
  card.hidden = !node || !(node.id in descriptions);
  if (card.hidden) return;
  const paragraphs = [descriptions[node.id], numbersIn(node).join(", ")].filter(Boolean);
  card.replaceChildren(...paragraphs.map((text) => element("p", text)));
  const area = stage.getBoundingClientRect();
  const box = node.getBoundingClientRect();
  const left = (box.left + box.right) / 2 - area.left - card.offsetWidth / 2;
  const below = box.bottom - area.top + 10;
  const above = box.top - area.top - card.offsetHeight - 10;
  const top = below + card.offsetHeight <= area.height ? below : Math.max(0, above);
  card.style.left = clamp(left, 4, area.width - card.offsetWidth - 4) + "px";
  card.style.top = top + "px";
}

for (const node of nodes) {
  const isClickable = frameOf(node) >= 0;
  node.classList.toggle("clickable", isClickable);
  node.addEventListener("pointerenter", () => showCard(node));
  node.addEventListener("pointerleave", () => showCard(null));
  node.addEventListener("click", () => {
    if (moved < 5) showFrameOf(node);
  });
  if (!(node.id in descriptions)) {
    node.setAttribute("aria-hidden", "true");
    continue;
  }
  node.setAttribute("role", isClickable ? "button" : "img");
  node.setAttribute("tabindex", node === describedNodes[0] ? 0 : -1);
  node.addEventListener("focus", () => {
    for (const other of describedNodes) other.setAttribute("tabindex", other === node ? 0 : -1);
    if (node.matches(":focus-visible")) showCard(node);
  });
  node.addEventListener("blur", () => showCard(null));
}

// Steps by keys, buttons and the slider.

let timer = 0;

function jump(i) {
  pause();
  show(i);
}

function showFrameOf(node) {
  if (frameOf(node) >= 0) jump(frameOf(node));
}

function pause() {
  clearTimeout(timer);
  timer = 0;
  play.setAttribute("aria-label", "Play");
}

function start() {
  if (current === last) show(0);
  play.setAttribute("aria-label", "Pause");
  const wait = () => {
    timer = setTimeout(() => {
      show(current + 1);
      if (current === last) pause();
      else wait();
    }, Math.min(6000, 1400 + 700 * frames[current].lines.length));
  };
  wait();
}

const actions = {
  first: () => jump(0),
  back: () => jump(current - 1),
  play: () => (timer ? pause() : start()),
  next: () => jump(current + 1),
  last: () => jump(last),
  smaller: () => zoom(1 / 1.25),
  larger: () => zoom(1.25),
  whole: () => {
    userScale = 0;
    moveTo(wholeView());
  },
  dark: () => setTheme(document.documentElement.dataset.theme !== "dark"),
};
const keys = {
  ArrowRight: "next", PageDown: "next", ArrowLeft: "back", PageUp: "back", Home: "first", End: "last", " ": "play",
  "+": "larger", "=": "larger", "-": "smaller", 0: "whole",
};

for (const [name, action] of Object.entries(actions)) part(name).addEventListener("click", action);
slider.max = last;
slider.addEventListener("input", () => jump(Number(slider.value)));

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const node = event.target.closest(".node");
  if (event.key === "Escape") {
    showCard(null);
  } else if (node && ["Enter", " "].includes(event.key)) {
    showFrameOf(node);
  } else if (node && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    describedNodes[describedNodes.indexOf(node) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  } else if (event.key in keys && !(event.key === " " && event.target.closest("button"))) {
    actions[keys[event.key]]();
  } else {
    return;
  }
  event.preventDefault();
});

// Light, dark and print.

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  part("dark").setAttribute("aria-pressed", dark);
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
prefersDark.addEventListener("change", () => setTheme(prefersDark.matches));
setTheme(prefersDark.matches);

let beforePrint = 0;
addEventListener("beforeprint", () => {
  beforePrint = current;
  show(last, true);
  drawing.setAttribute("viewBox", [paper.x, paper.y, paper.width, paper.height].join(" "));
});
addEventListener("afterprint", () => show(beforePrint, true));

// The slider is coloured by the phases of the frames.
const colours = { forward: "--green", backward: "--orange", update: "--blue", again: "--green" };
const stops = frames.map((frame, i) => {
  return `var(${colours[frame.phase] || "--rule"}) ${(100 * i) / frames.length}% ${(100 * (i + 1)) / frames.length}%`;
});
slider.style.setProperty("--parts", `linear-gradient(to right, ${stops.join(", ")})`);

/** Place the lines beside the drawing if they may be there and it can be larger there than above them. */
function arrange() {
  const above = Math.min(innerWidth / paper.width, (0.5 * innerHeight) / paper.height, 2.5);
  const beside = Math.min((0.68 * innerWidth) / paper.width, (0.8 * innerHeight) / paper.height, 2.5);
  const isBeside = document.body.dataset.beside === "true" && innerWidth > 900 && beside > 1.1 * above;
  document.body.classList.toggle("beside", isBeside);
}

arrange();
setView(wholeView());
const corner = stage.getBoundingClientRect();
for (const group of drawing.querySelectorAll(".node, .edge")) {
  const box = group.getBoundingClientRect();
  boxes.set(group.id, {
    x: view.x + (box.left - corner.left - stage.clientWidth / 2) / view.scale,
    y: view.y + (box.top - corner.top - stage.clientHeight / 2) / view.scale,
    width: box.width / view.scale,
    height: box.height / view.scale,
  });
}
show(0, true);
addEventListener("resize", arrange);
new ResizeObserver(() => {
  fitLines();
  followFrame(true);
}).observe(stage);
