// @ts-check
// The drawing of a graph: numbers in the boxes, the nodes and edges of the step, local derivatives on the edges.

/** The ids of the nodes in the drawing, by the number of the node. @type {string[][]} */
const idsOfNodes = page.data.drawing.nodes;
/** The number of the node that each id belongs to. @type {Map<string, number>} */
const nodeOfId = new Map(idsOfNodes.flatMap((ids, i) => ids.map((id) => [id, i])));
const drawnNodes = [.../** @type {NodeListOf<SVGGElement>} */ (drawing.querySelectorAll(".node"))];

/** Texts with numbers never leave their boxes: those that are too long, or in a wide font, are condensed. */
class FittedText {
  /**
   * @param {SVGTextElement} text
   * @param {number} room
   */
  constructor(text, room) {
    text.textContent = "";
    this.text = text;
    this.node = text.appendChild(document.createTextNode("")); // to change its data is cheaper than to replace it
    this.room = room;
    text.setAttribute("lengthAdjust", "spacingAndGlyphs");
    this.font = fontOf(text);
    /** So many characters fit, whichever they are. */
    this.safeLength = Math.floor(room / measured("d", this.font));
  }

  /** @param {string} content */
  show(content) {
    if (this.node.data === content) return;
    this.node.data = content;
    const isWide = content.length > this.safeLength && measured(content, this.font) > this.room;
    if (isWide) this.text.setAttribute("textLength", String(this.room));
    else this.text.removeAttribute("textLength");
  }
}

/** It measures texts without a layout of the page. */
const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

/** @param {Element} text */
function fontOf(text) {
  const { fontWeight, fontFamily } = getComputedStyle(text);
  return `${fontWeight} ${text.getAttribute("font-size") ?? "14"}px ${fontFamily}`;
}

/**
 * The width of a text, in units of the drawing.
 * @param {string} content
 * @param {string} font
 */
function measured(content, font) {
  if (ruler.font !== font) ruler.font = font;
  return ruler.measureText(content).width;
}

{
  const { precision, derivative } = page.data.options;
  /** @type {Map<string, FittedText>} */
  const texts = new Map();
  for (const text of drawing.querySelectorAll("text[id]")) {
    const box = outlineOf(/** @type {Element} */ (text.closest(".node")));
    texts.set(text.id, new FittedText(/** @type {SVGTextElement} */ (text), box.width - 8));
  }
  /** Of each product that is drawn in place of a `dot`: the `dot` and two operands. @type {[string, number[]][]} */
  const products = Object.entries(page.data.drawing.products);
  const isDescribed = (/** @type {Element} */ node) => nodeOfId.has(node.id);
  const described = drawnNodes.filter(isDescribed);

  /**
   * @param {string} id
   * @param {string} kind
   * @param {number | null} x null if it is not known yet
   */
  const show = (id, kind, x) => texts.get(`${id}-${kind}`)?.show(x === null ? "" : `${kind === "grad" ? derivative : kind} ${formatNumber(x, precision)}`);

  const showNumbers = (/** @type {Moment} */ moment) => {
    const { data, grad, known, reached } = moment;
    idsOfNodes.forEach((ids, i) => {
      for (const id of ids) {
        show(id, "data", known[i] ? data[i] : null);
        show(id, "grad", reached[i] ? grad[i] : null);
        if (texts.has(`${id}-data`)) drawn(id).classList.toggle("waiting", !known[i]);
      }
    });
    const actions = page.steps.slice(0, moment.step + 1).flatMap((step) => step.actions);
    for (const [id, [node, a, b]] of products) {
      show(id, "data", known[node] ? data[a] * data[b] : null);
      drawn(id).classList.toggle("waiting", !known[node]);
      if (derivative === "tangent") {
        show(id, "grad", reached[a] && reached[b] ? data[b] * grad[a] + data[a] * grad[b] : null);
      } else {
        const hasPassed = actions.some(([name, ...nodes]) => name === "backward" && nodes.includes(node));
        show(id, "grad", hasPassed ? grad[node] : null);
      }
    }
  };

  const showStep = (/** @type {Moment} */ moment) => {
    const { lit, focus, phase } = page.steps[moment.step];
    for (const element of drawing.querySelectorAll(".lit, .now, .receives")) {
      element.classList.remove("lit", "now", "receives");
    }
    for (const id of lit) drawn(id).classList.add("lit");
    if (focus) drawn(focus).classList.add("now");
    if (phase === "backward") {
      for (const { parent } of moment.contributions) for (const id of idsOfNodes[parent]) drawn(id).classList.add("receives");
    }
  };

  // The local derivatives stand on the edges along which the gradient goes, where Graphviz left room for them.
  const labels = new Map([...drawing.querySelectorAll(".edge text")].map((text) => {
    const label = new FittedText(/** @type {SVGTextElement} */ (text), Math.max(64, measured(text.textContent ?? "", fontOf(text))));
    text.setAttribute("class", "local");
    return [text.parentElement?.id, label];
  }));

  const showLocals = (/** @type {Moment} */ moment) => {
    const { edges = [] } = page.steps[moment.step];
    for (const [id, label] of labels) {
      const contribution = moment.contributions[edges.indexOf(id ?? "")];
      label.show(contribution ? `×\u00a0${formatNumber(contribution.local, Math.min(precision, 4))}` : "");
    }
  };

  /** Draw one stroke along each lit edge, in the direction in which the numbers flow. */
  const animateEdges = () => {
    for (const edge of drawing.querySelectorAll(".edge.lit")) {
      const path = /** @type {SVGPathElement} */ (edge.querySelector("path"));
      const stroke = /** @type {SVGPathElement} */ (path.cloneNode());
      setAttributes(stroke, { pathLength: 1, class: "flow" });
      stroke.style.setProperty("--from", page.steps[page.state.step].phase === "backward" ? "-1" : "1");
      stroke.addEventListener("animationend", () => stroke.remove());
      path.after(stroke);
    }
  };

  page.on("show", ({ moment, previous, instantly }) => {
    showNumbers(moment);
    if (moment.step !== previous?.step) {
      for (const stroke of drawing.querySelectorAll(".flow")) stroke.remove();
      showStep(moment);
      if (moment.step - 1 === previous?.step && !instantly && !reducedMotion.matches) animateEdges();
    }
    showLocals(moment);
    for (const node of described) node.setAttribute("aria-label", descriptionOf(node));
  });

  page.on("trouble", (/** @type {Trouble | null} */ trouble) => {
    for (const element of drawing.querySelectorAll(".failed")) element.classList.remove("failed");
    for (const id of trouble ? idsOfNodes[trouble.node] : []) drawn(id).classList.add("failed");
  });

  const descriptionOf = (/** @type {Element} */ node) => {
    const numbers = ["data", "grad"].map((kind) => texts.get(`${node.id}-${kind}`)?.node.data).filter(Boolean);
    return [names.get(node), ...numbers].join(", ");
  };
  /** @type {Map<Element, string>} */
  const names = new Map(described.map((node) => {
    const template = /** @type {HTMLTemplateElement} */ (drawn(`node-${nodeOfId.get(node.id)}`));
    return [node, template.content.querySelector(".name")?.textContent ?? ""];
  }));

  /** The step that a click on a node shows, in the current phase if possible; -1 if there is none. */
  const stepOf = (/** @type {Element} */ node) => {
    const i = nodeOfId.get(node.id) ?? -1;
    const { phase } = page.steps[page.state.step];
    const isAbout = (/** @type {PageStep} */ step) => step.focus === node.id;
    const changes = (/** @type {PageStep} */ step) => step.actions.some(([name, ...nodes]) => (
      (name === "appear" && nodes.includes(i))
      || (name === "backward" && nodes.some((n) => page.tape.terms[n].flat().includes(i)))
    ));
    for (const steps of [page.steps.filter((step) => step.phase === phase), page.steps]) {
      const step = steps.find(isAbout) ?? steps.findLast(changes) ?? steps.find(({ lit }) => lit.includes(node.id));
      if (step) return page.steps.indexOf(step);
    }
    return -1;
  };
  const showStepOf = (/** @type {Element} */ node) => {
    if (stepOf(node) >= 0) page.move(stepOf(node));
  };

  for (const node of drawnNodes) {
    const isClickable = stepOf(node) >= 0;
    node.classList.toggle("clickable", isClickable);
    node.addEventListener("click", () => {
      if (panned < 5) showStepOf(node);
    });
    if (!isDescribed(node)) {
      node.setAttribute("aria-hidden", "true");
      continue;
    }
    setAttributes(node, { role: isClickable ? "button" : "img", tabindex: node === described[0] ? 0 : -1 });
    node.addEventListener("focus", () => {
      for (const other of described) other.setAttribute("tabindex", other === node ? "0" : "-1");
    });
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const node = /** @type {SVGGElement | null} */ (/** @type {Element} */ (event.target).closest(".node"));
    if (node && ["Enter", " "].includes(event.key)) showStepOf(node);
    else if (node && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      described[described.indexOf(node) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  // The number of a leaf can be dragged in the drawing too: a handle lies over it.
  for (const [i, { rule, constant }] of page.tape.nodes.entries()) {
    if (rule !== undefined || constant) continue;
    for (const id of idsOfNodes[i]) {
      const text = texts.get(`${id}-data`);
      if (!text) continue;
      const box = outlineOf(drawn(id));
      const size = Number(text.text.getAttribute("font-size") ?? 14);
      const handle = document.createElementNS(drawing.namespaceURI, "rect");
      const y = Number(text.text.getAttribute("y")) - 1.1 * size;
      setAttributes(handle, { x: box.x + 3, y, width: box.width - 6, height: 1.5 * size, rx: 4 });
      setAttributes(handle, { class: "handle", "data-handle": i });
      handle.addEventListener("click", (event) => event.stopPropagation());
      text.text.after(handle);
    }
  }
}
