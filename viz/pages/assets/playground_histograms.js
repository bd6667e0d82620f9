// @ts-check
// Histograms of the outputs and of the gradients of each layer, for the present examples.

{
  const BINS = 24;
  const MAX_EXAMPLES = 500; // whose gradients are drawn
  const EXPONENTS = [-9, 3]; // the range of the gradients, in powers of ten
  const panel = byId("play-histograms");
  /** @typedef {{numbers: number[], counts: number[], range: number[]}} Histogram */
  /** @type {Map<Element, Histogram>} */
  const histograms = new Map();
  /** The histogram and the bar that are pointed at. */
  const place = { figure: /** @type {HTMLElement | null} */ (null), bar: -1 };

  /** @param {number[]} numbers @param {number[]} range @param {(x: number) => number} scale @returns {Histogram} */
  function count(numbers, [low, high], scale = (x) => x) {
    const counts = Array.from({ length: BINS }, () => 0);
    for (const x of numbers) {
      const bin = Math.floor((BINS * (scale(x) - low)) / (high - low || 1));
      counts[clamp(bin || 0, 0, BINS - 1)] += 1;
    }
    return { numbers, counts, range: [low, high] };
  }

  /** The outputs of the neurons of every layer. */
  function outputs() {
    const place = marks.signals();
    let first = training.signals / 2;
    return shape.layers.map(({ length }, k) => {
      const numbers = [];
      for (let i = 0; i < training.train.n; i++) {
        const row = place + i * training.signals + first;
        numbers.push(...training.floats.subarray(row, row + length));
      }
      first += length;
      const name = shape.activationOf(k + 1);
      return count(numbers, name === "tanh" ? [-1, 1] : name === "sigmoid" ? [0, 1] : space.bounds(numbers));
    });
  }

  /** The gradients of the loss of each example with respect to the weights of every layer. */
  function gradients() {
    const { gradients, order, train } = training;
    const before = { gradients: gradients.slice(), first: order[0] };
    const rows = Math.min(train.n, MAX_EXAMPLES);
    const layers = shape.layers.map((neurons) => neurons.flatMap(({ weights }) => weights));
    /** @type {number[][]} */
    const numbers = layers.map(() => []);
    try {
      for (let r = 0; r < rows; r++) {
        order[0] = Math.floor((r * train.n) / rows);
        gradients.fill(0);
        training.code.learn(8 * train.place, training.orderPlace, 1, 1);
        layers.forEach((weights, k) => numbers[k].push(...weights.map((w) => gradients[w])));
      }
    } finally {
      gradients.set(before.gradients);
      order[0] = before.first;
    }
    return numbers.map((list) => count(list, EXPONENTS, (x) => Math.log10(Math.abs(x))));
  }

  /** @param {Element} figure @param {Histogram} histogram */
  function drawBars(figure, { counts, range }) {
    const most = Math.max(1, ...counts);
    const height = (/** @type {number} */ n) => (19 * Math.max(0.03, n / most)).toFixed(2);
    const bars = counts.map((n, i) => (n > 0 ? `M${i + 0.05} 20v-${height(n)}h.9V20z` : ""));
    figure.querySelector("path")?.setAttribute("d", bars.join(""));
    figure.querySelectorAll("[data-end]").forEach((end, k) => (end.textContent = formatNumber(range[k], 3)));
  }

  /** Show the numbers of the histogram that is pointed at, and of its bar. */
  function explain() {
    const { figure, bar } = place;
    const histogram = figure && histograms.get(figure);
    const isLog = figure?.dataset.kind === "gradients";
    showOnly("says", histogram ? "numbers" : "nothing");
    showOnly("bar", bar < 0 ? "none" : isLog && bar === 0 ? "least" : figure?.dataset.kind);
    for (const each of panel.querySelectorAll("figure")) each.querySelector("rect").setAttribute("x", each === figure ? bar : -1);
    if (!histogram) return;
    const { numbers, counts, range: [low, high] } = histogram;
    const average = (/** @type {(x: number) => number} */ f) => numbers.reduce((sum, x) => sum + f(x), 0) / numbers.length;
    const mean = average((x) => x);
    const [least, largest] = space.bounds(numbers);
    const [from, to] = [bar, bar + 1].map((i) => low + (i * (high - low)) / BINS).map((x) => (isLog ? 10 ** x : x));
    /** @type {Record<string, number | undefined>} */
    const texts = {
      n: numbers.length, mean, deviation: Math.sqrt(average((x) => (x - mean) ** 2)), least, largest, count: counts[bar], from, to,
    };
    for (const element of panel.querySelectorAll("output[data-place]")) {
      const x = texts[element.dataset.place];
      element.textContent = x === undefined ? "" : formatNumber(x, 3).replace(/\.0$/, "");
    }
    panel.querySelector("b[data-place]").textContent = figure.getAttribute("aria-label");
  }

  /** @param {HTMLElement | null} figure @param {number} bar */
  function point(figure, bar) {
    place.figure = figure;
    place.bar = clamp(bar, -1, BINS - 1);
    explain();
  }

  function build() {
    place.figure = null;
    panel.querySelector(".rows").replaceChildren(...shape.layers.map((_, k) => {
      const isLast = k === shape.layers.length - 1;
      return fromTemplate("play-histogram", { name: isLast ? panel.dataset.output : `${panel.dataset.layer} ${k + 1}` });
    }));
    for (const figure of panel.querySelectorAll("figure")) {
      figure.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
        const box = figure.querySelector("svg").getBoundingClientRect();
        point(figure, Math.floor((BINS * (event.clientX - box.left)) / box.width));
      });
      figure.addEventListener("focus", () => point(figure, -1));
      figure.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        point(figure, place.bar + step);
        event.preventDefault();
        event.stopPropagation();
      });
    }
  }

  function draw() {
    if (!document.querySelector('#play-panels [value="histograms"]:checked')) return;
    succeeds(() => { // otherwise, the histograms stay as they are
      const layers = { outputs: outputs(), gradients: gradients() };
      for (const [kind, list] of Object.entries(layers)) {
        panel.querySelectorAll(`[data-kind="${kind}"]`).forEach((/** @type {Element} */ figure, /** @type {number} */ k) => {
          histograms.set(figure, list[k]);
          drawBars(figure, list[k]);
        });
      }
      explain();
    });
  }

  build();
  panel.addEventListener("pointerleave", () => point(null, -1));
  on("play-shape", build);
  on("play-shape play-data play-draw play-panel", draw);
  for (const choice of all("#play-panels > fieldset input")) choice.addEventListener("change", () => emit("play-panel"));
}
