// @ts-check
// The words of the page: templates that Python wrote, whose slots are filled with numbers.

slotDigits = page.data.options.digits ?? 6;
Object.assign(SLOTS, {
  data: (/** @type {Moment} */ moment, /** @type {number} */ i) => moment.data[i],
  grad: (/** @type {Moment} */ moment, /** @type {number} */ i) => moment.grad[i],
  upstream: (/** @type {Moment} */ moment) => moment.grad[moment.contributions[0]?.node ?? moment.tape.root],
  tangent: (/** @type {Moment} */ moment) => moment.grad[moment.contributions[0].node],
  incoming: (/** @type {Moment} */ moment, /** @type {number} */ c) => moment.contributions[c].incoming ?? NaN,
  local: (/** @type {Moment} */ moment, /** @type {number} */ c) => moment.contributions[c].local,
  amount: (/** @type {Moment} */ moment, /** @type {number} */ c) => moment.contributions[c].amount,
  before: (/** @type {Moment} */ moment, /** @type {number} */ c) => moment.contributions[c].before,
  total: (/** @type {Moment} */ moment, /** @type {number} */ c) => moment.contributions[c].total,
});

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
      const hasWords = document.getElementById(`largest-${largest}`);
      place.append(hasWords ? fillTemplate(hasWords.id, moment) : ` at ${page.tape.nodes[largest].name} = ${formatNumber(moment.data[largest])}`);
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
