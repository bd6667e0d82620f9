"use strict";

const { frames, about } = JSON.parse(document.getElementById("page-data").textContent);
const part = (name) => document.getElementById("page-" + name);
const [stage, lines, card, slider, play] = ["stage", "lines", "card", "slider", "play"].map(part);
const drawing = stage.querySelector("svg");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const last = frames.length - 1;
let at = 0; // the frame that is shown

// What the frames speak of: the text elements, and the nodes that hold them.

const spoken = frames.flatMap((frame) => Object.keys(frame.texts));
const texts = new Map(spoken.map((id) => [id, document.getElementById(id)]));
const nodes = [...drawing.querySelectorAll(".node")];
const reader = nodes.filter((node) => node.id in about);
const held = new Map(nodes.map((node) => [node, [...texts.values()].filter((text) => node.contains(text))]));

/** The frame to which a click on a node leads, in the part that is shown if it has one. */
function leadsTo(node) {
  const ids = held.get(node).map((text) => text.id);
  const here = frames.map((_, i) => i);
  const inPart = here.filter((i) => frames[i].part === frames[at].part);
  for (const some of [inPart, here]) {
    const found = [
      some.find((i) => frames[i].node === node.id),
      some.filter((i) => ids.some((id) => id in frames[i].texts)).pop(),
      some.find((i) => frames[i].lit.includes(node.id)),
    ].find((i) => i !== undefined);
    if (found !== undefined) return found;
  }
}

/** Show a frame; all of the page follows from its number. */
function show(i, instantly = false) {
  const before = at;
  at = Math.max(0, Math.min(last, i));
  const frame = frames[at];
  document.body.dataset.part = frame.part;
  const reads = Object.assign({}, ...frames.slice(0, at + 1).map((each) => each.texts));
  for (const [id, text] of texts) {
    text.textContent = reads[id] || "";
    text.classList.toggle("new", id in frame.texts);
  }
  for (const [node, inside] of held) {
    node.classList.toggle("waiting", inside.length > 0 && inside.every((text) => !text.textContent));
  }
  for (const lit of drawing.querySelectorAll(".lit, .now")) lit.classList.remove("lit", "now");
  for (const id of frame.lit) document.getElementById(id).classList.add("lit");
  if (frame.node) document.getElementById(frame.node).classList.add("now");
  for (const node of reader) node.setAttribute("aria-label", [about[node.id], ...numbers(node)].join(", "));
  flow(at === before + 1 && !instantly && !calm.matches);
  say(frame);
  slider.value = at;
  slider.setAttribute("aria-valuetext", frame.title);
  for (const [name, end] of [["first", 0], ["back", 0], ["next", last], ["last", last]]) {
    part(name).setAttribute("aria-disabled", at === end);
  }
  look(instantly);
  describe();
}

function numbers(node) {
  return held.get(node).map((text) => text.textContent).filter(Boolean);
}

/** Along the lit edges, one stroke the way that the numbers go. */
function flow(moving) {
  for (const stroke of drawing.querySelectorAll(".flow")) stroke.remove();
  for (const edge of drawing.querySelectorAll(".edge")) {
    edge.classList.toggle("flowing", moving && edge.classList.contains("lit"));
    if (!edge.classList.contains("flowing")) continue;
    const path = edge.querySelector("path");
    const stroke = path.cloneNode();
    stroke.setAttribute("pathLength", 1);
    stroke.setAttribute("class", "flow");
    stroke.style.setProperty("--from", frames[at].part === "backward" ? -1 : 1);
    stroke.addEventListener("animationend", () => {
      stroke.remove();
      edge.classList.remove("flowing");
    });
    path.after(stroke);
  }
}

/** The lines below the drawing, which break before an equals sign if they must. */
function say(frame) {
  const title = document.createElement("h2");
  title.textContent = frame.title;
  const paragraphs = frame.lines.map((line) => {
    const p = document.createElement("p");
    const pieces = line.split(/(?= \+?= | hands on )/);
    const end = /^( = )(\S+)$/.exec(pieces.at(-1));
    for (const [i, piece] of pieces.entries()) {
      const span = document.createElement("span");
      if (end && i === pieces.length - 1) {
        const result = document.createElement("strong");
        result.textContent = end[2];
        span.append(end[1], result);
      } else {
        span.textContent = piece;
      }
      p.append(span);
    }
    return p;
  });
  lines.replaceChildren(title, ...paragraphs);
  fit();
}

/** The largest type with which the lines fit in their place, if it can be without a break within a piece. */
function fit() {
  const narrow = innerWidth <= 700;
  const largest = narrow ? 22 : Math.max(20, Math.min(innerWidth / 36, innerHeight / 18));
  const overflows = () => lines.scrollHeight > lines.clientHeight;
  const breaks = (size) => [...lines.querySelectorAll("span")].some((span) => span.offsetHeight > 2 * size);
  const fits = (size, unbroken) => {
    for (const p of lines.querySelectorAll("p")) p.style.fontSize = size + "px";
    return !overflows() && !(unbroken && breaks(size));
  };
  const sizes = Array.from({ length: Math.ceil(largest - 15) }, (_, i) => Math.max(16, largest - i));
  sizes.some((size) => size >= 0.75 * largest && fits(size, true)) || sizes.some((size) => fits(size, false));
  lines.scrollTop = 0;
}

// The view: which point of the drawing stands in the middle, and how many pixels a unit takes.

const [x, y, width, height] = drawing.getAttribute("viewBox").split(/[ ,]+/).map(Number);
const paper = { x, y, width, height };
const boxes = new Map();
let view = { x: paper.x + paper.width / 2, y: paper.y + paper.height / 2, scale: 1 };
let chosen = null; // the scale that the user chose; 0 is the whole drawing, null leaves it to the page
let moving = 0;

function wholeScale() {
  return Math.min(stage.clientWidth / paper.width, stage.clientHeight / paper.height, 2.5) * 0.96;
}

function readableScale() {
  return Math.max(0.8, Math.min(1.6, stage.clientWidth / 1280));
}

function whole() {
  return { x: paper.x + paper.width / 2, y: paper.y + paper.height / 2, scale: wholeScale() };
}

function place(to) {
  view = to;
  const width = stage.clientWidth / to.scale;
  const height = stage.clientHeight / to.scale;
  drawing.setAttribute("viewBox", [to.x - width / 2, to.y - height / 2, width, height].join(" "));
}

function go(to, instantly) {
  cancelAnimationFrame(moving);
  if (instantly || calm.matches || document.hidden) {
    place(to);
    return;
  }
  const from = view;
  const start = performance.now();
  const tick = (now) => {
    const t = Math.min(1, Math.max(0, (now - start) / 350));
    const s = t * t * (3 - 2 * t);
    const between = (key) => from[key] + (to[key] - from[key]) * s;
    place(t < 1 ? { x: between("x"), y: between("y"), scale: between("scale") } : to);
    if (t < 1) moving = requestAnimationFrame(tick);
    else describe();
  };
  moving = requestAnimationFrame(tick);
}

/** Move what is lit into view, and no more than that; where nothing is lit, show the whole. */
function look(instantly) {
  let lit = frames[at].lit.map((id) => boxes.get(id)).filter(Boolean);
  const least = wholeScale();
  const scale = chosen === null ? Math.max(least, readableScale()) : chosen || least;
  if (!lit.length || scale <= least) {
    go(whole(), instantly);
    return;
  }
  const margin = Math.max(24, (0.1 * stage.clientWidth) / scale);
  const around = () => {
    const left = Math.min(...lit.map((b) => b.x)) - margin;
    const right = Math.max(...lit.map((b) => b.x + b.width)) + margin;
    const top = Math.min(...lit.map((b) => b.y)) - 24;
    const bottom = Math.max(...lit.map((b) => b.y + b.height)) + 24;
    const fits = Math.min(scale, stage.clientWidth / (right - left), stage.clientHeight / (bottom - top));
    return { left, right, top, bottom, fits };
  };
  const now = boxes.get(frames[at].node);
  if (now && around().fits < 0.45 * scale) { // too many to read: the node itself, amid what fits
    const [dx, dy] = [(0.2 * stage.clientWidth) / scale, (0.25 * stage.clientHeight) / scale];
    lit = [{ x: now.x - dx, y: now.y - dy, width: now.width + 2 * dx, height: now.height + 2 * dy }];
  }
  const { left, right, top, bottom, fits } = around();
  const within = (middle, low, high, size, from, length) => {
    if (length <= size) return from + length / 2;
    const near = Math.max(high - size / 2, Math.min(low + size / 2, middle));
    return Math.max(from + size / 2, Math.min(from + length - size / 2, near));
  };
  const x = within(view.x, left, right, stage.clientWidth / fits, paper.x - margin, paper.width + 2 * margin);
  const y = within(view.y, top, bottom, stage.clientHeight / fits, paper.y - margin, paper.height + 2 * margin);
  go({ x, y, scale: fits }, instantly);
}

/** Zoom by a factor, with the point (px, py) of the stage staying where it is. */
function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2, instantly = false) {
  const scale = Math.max(wholeScale() / 2, Math.min(8, view.scale * factor));
  const dx = px - stage.clientWidth / 2;
  const dy = py - stage.clientHeight / 2;
  chosen = scale;
  go({ x: view.x + dx / view.scale - dx / scale, y: view.y + dy / view.scale - dy / scale, scale }, instantly);
}

function showWhole() {
  chosen = 0;
  go(whole());
}

// Dragging with one pointer, pinching with two; a click is a press that did not move.

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
  const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
  pointers.set(event.pointerId, event);
  const dx = event.clientX - before.clientX;
  const dy = event.clientY - before.clientY;
  moved += Math.abs(dx) + Math.abs(dy);
  if (moved < 5) return;
  stage.classList.add("dragged");
  cancelAnimationFrame(moving);
  card.hidden = true;
  if (other) {
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const area = stage.getBoundingClientRect();
    zoom(apart(event) / apart(before), other.clientX - area.left, other.clientY - area.top, true);
  } else {
    place({ ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale });
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
  const area = stage.getBoundingClientRect();
  const lines = event.deltaMode ? 30 : 1;
  const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002));
  zoom(factor, event.clientX - area.left, event.clientY - area.top, true);
}, { passive: false });

// A node in full, beside it.

let pointed = null;

function describe(node = pointed) {
  pointed = node;
  card.hidden = !node || !(node.id in about);
  if (card.hidden) return;
  card.replaceChildren(...[about[node.id], numbers(node).join(", ")].filter(Boolean).map((text) => {
    const p = document.createElement("p");
    p.textContent = text;
    return p;
  }));
  const area = stage.getBoundingClientRect();
  const box = node.getBoundingClientRect();
  const left = (box.left + box.right) / 2 - area.left - card.offsetWidth / 2;
  const below = box.bottom - area.top + 10;
  const above = box.top - area.top - card.offsetHeight - 10;
  const top = below + card.offsetHeight <= area.height ? below : Math.max(0, above);
  card.style.left = Math.max(4, Math.min(area.width - card.offsetWidth - 4, left)) + "px";
  card.style.top = top + "px";
}

for (const node of nodes) {
  const leads = leadsTo(node) !== undefined;
  node.classList.toggle("leads", leads);
  node.addEventListener("pointerenter", () => describe(node));
  node.addEventListener("pointerleave", () => describe(null));
  node.addEventListener("click", () => {
    if (moved < 5 && leads) jump(leadsTo(node));
  });
  if (!(node.id in about)) {
    node.setAttribute("aria-hidden", "true");
    continue;
  }
  node.setAttribute("role", leads ? "button" : "img");
  node.setAttribute("tabindex", node === reader[0] ? 0 : -1);
  node.addEventListener("focus", () => {
    for (const other of reader) other.setAttribute("tabindex", other === node ? 0 : -1);
    if (node.matches(":focus-visible")) describe(node);
  });
  node.addEventListener("blur", () => describe(null));
}

// Steps by keys, buttons and the slider.

let timer = 0;

function jump(i) {
  pause();
  show(i);
}

function pause() {
  clearTimeout(timer);
  timer = 0;
  play.setAttribute("aria-label", "Play");
}

function start() {
  if (at === last) show(0);
  play.setAttribute("aria-label", "Pause");
  const wait = () => {
    timer = setTimeout(() => {
      show(at + 1);
      if (at === last) pause();
      else wait();
    }, Math.min(6000, 1400 + 700 * frames[at].lines.length));
  };
  wait();
}

const actions = {
  first: () => jump(0),
  back: () => jump(at - 1),
  play: () => (timer ? pause() : start()),
  next: () => jump(at + 1),
  last: () => jump(last),
  smaller: () => zoom(1 / 1.25),
  larger: () => zoom(1.25),
  whole: showWhole,
  dark: () => theme(document.documentElement.dataset.theme !== "dark"),
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
    describe(null);
  } else if (node && ["Enter", " "].includes(event.key)) {
    const found = leadsTo(node);
    if (found !== undefined) jump(found);
  } else if (node && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    reader[reader.indexOf(node) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  } else if (event.key in keys && !(event.key === " " && event.target.closest("button"))) {
    actions[keys[event.key]]();
  } else {
    return;
  }
  event.preventDefault();
});

// Light and dark, paper and screens of any size.

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  part("dark").setAttribute("aria-pressed", dark);
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
prefersDark.addEventListener("change", () => theme(prefersDark.matches));
theme(prefersDark.matches);

let printed = 0;
addEventListener("beforeprint", () => {
  printed = at;
  show(last, true);
  drawing.setAttribute("viewBox", [paper.x, paper.y, paper.width, paper.height].join(" "));
});
addEventListener("afterprint", () => show(printed, true));

const shares = frames.map((frame, i) => {
  const colour = { forward: "--green", backward: "--orange", update: "--blue" }[frame.part] || "--rule";
  return `var(${colour}) ${(100 * i) / frames.length}% ${(100 * (i + 1)) / frames.length}%`;
});
slider.style.setProperty("--parts", `linear-gradient(to right, ${shares.join(", ")})`);

place(whole());
const corner = stage.getBoundingClientRect();
for (const thing of drawing.querySelectorAll(".node, .edge")) {
  const box = thing.getBoundingClientRect();
  boxes.set(thing.id, {
    x: view.x + (box.left - corner.left - stage.clientWidth / 2) / view.scale,
    y: view.y + (box.top - corner.top - stage.clientHeight / 2) / view.scale,
    width: box.width / view.scale,
    height: box.height / view.scale,
  });
}
show(0, true);
new ResizeObserver(() => {
  fit();
  look(true);
}).observe(stage);
