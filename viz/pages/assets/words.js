// @ts-check
// The words of the page: templates that Python wrote, whose slots are filled with numbers.

slotDigits = page.data.options.digits ?? 6;
Object.assign(SLOTS, {
  data: (/** @type {Moment} */ moment, /** @type {number} */ i) => moment.data[i],
  grad: (/** @type {Moment} */ moment, /** @type {number} */ i) => moment.grad[i],
  upstream: (/** @type {Moment} */ moment) => moment.grad[moment.contributions[0]?.node ?? moment.tape.root],
  tangent: (/** @type {Moment} */ moment) => moment.grad[moment.contributions[0].node],
});
for (const name of /** @type {const} */ (["local", "amount", "before", "total", "incoming"])) {
  SLOTS[name] = (/** @type {Moment} */ moment, /** @type {number} */ c) => moment.contributions[c][name] ?? NaN;
}

/**
 * Return a new element.
 * @param {string} name
 * @param {...(string | Node)} content
 */
function element(name, ...content) {
  const result = document.createElement(name);
  result.append(...content);
  return result;
}

/**
 * Set attributes of an element.
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * Return the largest size of type that fits, to a sixteenth of the range, or 0 if none does. It tries at most six sizes,
 * the smallest first, since a layout of long words is slow.
 * @param {number} smallest
 * @param {number} largest
 * @param {(size: number) => boolean} fits
 */
function largestFit(smallest, largest, fits) {
  if (!fits(smallest)) return 0;
  if (fits(largest)) return largest;
  let [low, high] = [smallest, largest];
  for (let i = 0; i < 4; i++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Make the type of a formula smaller if a part of it, which cannot break, is wider than its line.
 * @param {Element} words
 */
function fitFormulas(words) {
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (words.querySelectorAll(".formula"))) {
    line.style.fontSize = "";
    const share = line.clientWidth / line.scrollWidth;
    if (share < 1) line.style.fontSize = `${0.97 * share}em`;
  }
}

{
  const lines = part("lines");

  /**
   * Choose the largest type with which the words fit, if it can be large without a broken line. It changes from step to
   * step, not with a number.
   */
  const fitWords = () => {
    const largest = Math.max(20, Math.min(innerWidth / 48, innerHeight / 26));
    const fits = (/** @type {number} */ size) => {
      lines.style.fontSize = `${size}px`;
      const isWide = [...lines.querySelectorAll("p:not(.spoken)")].some((p) => p.scrollWidth > p.clientWidth);
      return lines.scrollHeight <= lines.clientHeight && !isWide;
    };
    lines.classList.add("unbroken");
    const unbroken = largestFit(Math.max(12, 0.7 * largest), largest, fits);
    lines.classList.remove("unbroken");
    lines.style.fontSize = `${unbroken || largestFit(12, largest, fits) || 12}px`;
    lines.scrollTop = 0;
  };
  new ResizeObserver(fitWords).observe(lines);

  page.on("show", ({ moment, previous }) => {
    document.body.dataset.phase = page.steps[moment.step].phase;
    if (moment.step === previous?.step) {
      fill(lines, moment); // the same step with other numbers: nothing moves
    } else {
      lines.replaceChildren(fillTemplate(`step-${moment.step}`, moment));
      fitWords();
    }
    part("latex").hidden = !lines.querySelector(".latex");
  });

  part("latex").addEventListener("click", () => {
    const latex = [...lines.querySelectorAll(".latex:not([hidden] .latex)")].map((each) => each.textContent).join("\n");
    copyText(latex, part("latex"));
  });

  page.on("trouble", (/** @type {Trouble | null} */ trouble) => {
    part("trouble").textContent = trouble ? sentenceOf(trouble) : "";
  });

  /**
   * The engine's sentence about an operation that has no value, at the numbers at which it failed.
   * @param {Trouble} trouble
   */
  const sentenceOf = (trouble) => {
    const { node, kind, moment } = trouble;
    const id = `error-${node}-${kind}`;
    if (!document.getElementById(id)) return trouble.message;
    const words = fillTemplate(id, moment);
    for (const place of words.querySelectorAll("[data-largest]")) {
      const { a = [], b = [] } = page.tape.nodes[Number(place.getAttribute("data-largest"))];
      const largest = [...a, ...b].reduce((x, y) => (Math.abs(moment.data[y]) > Math.abs(moment.data[x]) ? y : x));
      const id = `largest-${largest}`;
      const leaf = ` at ${page.tape.nodes[largest].name} = ${formatNumber(moment.data[largest])}`;
      place.append(document.getElementById(id) ? fillTemplate(id, moment) : leaf);
    }
    return words.textContent ?? "";
  };

  page.on("ready", () => {
    const actions = page.steps.flatMap((step) => step.actions);
    const nodesOf = (/** @type {string} */ action) => actions.flatMap(([name, ...nodes]) => (name === action ? nodes : []));
    const [input] = nodesOf("seedTangents");
    const difference = differenceFromPython(page.tape, nodesOf("backward"), input);
    if (!difference) return;
    const differs = part("differs");
    differs.hidden = false;
    part("differing").textContent = page.tape.nodes[difference.node].name;
    SLOTS.differs = (_, what) => Number(what === difference.what);
    SLOTS.here = () => difference.here;
    SLOTS.recorded = () => difference.recorded;
    fill(differs, page.moment);
  });
}
