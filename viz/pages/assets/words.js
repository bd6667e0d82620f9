// @ts-check
// The words of the page: templates that Python wrote, whose slots are filled with numbers.

/**
 * The numbers of slots by the first word of the slot; the other words are arguments.
 * @type {Record<string, (moment: Moment, ...args: any[]) => number>}
 */
const SLOTS = {
  data: (moment, i) => moment.data[i],
  grad: (moment, i) => moment.grad[i],
  upstream: (moment) => moment.grad[moment.contributions[0]?.node ?? moment.tape.root],
  tangent: (moment) => moment.grad[moment.contributions[0].node],
  incoming: (moment, c) => moment.contributions[c].incoming ?? NaN,
  local: (moment, c) => moment.contributions[c].local,
  amount: (moment, c) => moment.contributions[c].amount,
  before: (moment, c) => moment.contributions[c].before,
  total: (moment, c) => moment.contributions[c].total,
};

/**
 * @param {string} slot
 * @param {Moment} moment
 */
function numberOfSlot(slot, moment) {
  const [kind, ...args] = slot.split(" ");
  return SLOTS[kind](moment, ...args);
}

/**
 * Return the words of a template with the numbers of a moment.
 * @param {string} id
 * @param {Moment} moment
 * @returns {DocumentFragment}
 */
function fillTemplate(id, moment) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  const words = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  fill(words, moment);
  return words;
}

/**
 * Fill the slots of an element; they stay, so that they can be filled again.
 * @param {DocumentFragment | Element} words
 * @param {Moment} moment
 */
function fill(words, moment) {
  for (const element of words.querySelectorAll("[data-if]")) {
    element.toggleAttribute("hidden", numberOfSlot(element.getAttribute("data-if") ?? "", moment) === 0);
  }
  for (const element of words.querySelectorAll("[data-choose]")) {
    const sign = Math.sign(numberOfSlot(element.getAttribute("data-choose") ?? "", moment));
    [...element.children].forEach((child, i) => child.toggleAttribute("hidden", i !== sign + 1));
  }
  for (const element of words.querySelectorAll("[data-slot]")) {
    const x = numberOfSlot(element.getAttribute("data-slot") ?? "", moment);
    let text = formatNumber(x, Number(element.getAttribute("data-digits") ?? page.data.options.digits ?? 6));
    if (element.namespaceURI?.endsWith("MathML")) text = text.replaceAll("-", "\u2212");
    if (element.hasAttribute("data-bracketed") && x < 0) text = `(${text})`;
    if (element.textContent !== text) element.textContent = text;
  }
}

/**
 * Return the words of a template as plain text.
 * @param {string} id
 * @param {Moment} moment
 */
function templateText(id, moment) {
  return fillTemplate(id, moment).textContent ?? "";
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

{
  const lines = part("lines");
  const differs = part("differs");
  let words = "";

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

  page.on("show", ({ moment }) => {
    const { phase, words: id } = page.steps[page.state.step];
    document.body.dataset.phase = phase;
    if (id === words) {
      fill(lines, moment); // the same step with other numbers: nothing moves
    } else {
      words = id;
      lines.replaceChildren(fillTemplate(id, moment));
      fitWords();
    }
    part("latex").hidden = !lines.querySelector(".latex");
  });

  part("latex").addEventListener("click", async () => {
    const latex = [...lines.querySelectorAll(".latex:not([hidden] .latex)")].map((each) => each.textContent).join("\n");
    await copyText(latex);
    part("latex").dataset.done = "true";
    setTimeout(() => delete part("latex").dataset.done, 1500);
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
      place.append(fillTemplate(`largest-${largest}`, moment));
    }
    return words.textContent ?? "";
  };

  page.on("ready", () => {
    const nodesOf = (/** @type {string} */ action) => page.steps.flatMap(({ actions }) => actions.flatMap(
      ([name, ...nodes]) => (name === action ? nodes : []),
    ));
    const [input] = nodesOf("seedTangents");
    const difference = differenceFromPython(page.tape, nodesOf("backward"), input);
    differs.hidden = !difference;
    if (!difference) return;
    const { node, what, here, recorded } = difference;
    SLOTS.here = () => here;
    SLOTS.recorded = () => recorded;
    differs.textContent = `${page.tape.nodes[node].name}: ${templateText(`differs-${what}`, page.moment)}`;
  });
}

/**
 * Copy text to the clipboard; a page in a file or a frame may only have the old way.
 * @param {string} text
 */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = /** @type {HTMLTextAreaElement} */ (element("textarea"));
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
