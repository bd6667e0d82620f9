// @ts-check
// Histograms of the outputs and of the gradients of each layer, for the present examples.

{
  const BINS = 24;
  const MAX_EXAMPLES = 500; // whose gradients are drawn
  const [LEAST, LARGEST] = [-9, 3]; // powers of ten of the gradients
  const panel = byId("play-histograms");
  /** @typedef {{numbers: number[], counts: number[], low: number, high: number}} Histogram */
  /** @type {Map<Element, Histogram>} */
  const histograms = new Map();
  /** The histogram and the bar that are pointed at. */
  const place = { figure: /** @type {HTMLElement | null} */ (null), bar: -1 };

  /** @param {number[]} numbers @param {number} low @param {number} high @param {(x: number) => number} scale */
  function histogram(numbers, low, high, scale) {
    const counts = Array.from({ length: BINS }, () => 0);
    for (const x of numbers) {
      const bin = Math.floor((BINS * (scale(x) - low)) / (high - low || 1));
      counts[clamp(bin || 0, 0, BINS - 1)] += 1;
    }
    return { numbers, counts, low, high };
  }

  /** The outputs of the neurons of every layer. */
  function outputs() {
    const place = marks.signals();
    const n = training.train.n;
    let neuron = training.signals / 2;
    return shape.layers.map((neurons, k) => {
      const numbers = [];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < neurons.length; j++) numbers.push(training.floats[place + i * training.signals + neuron + j]);
      }
      neuron += neurons.length;
      const name = shape.activationOf(k + 1);
      const [low, high] = name === "tanh" ? [-1, 1] : name === "sigmoid" ? [0, 1] : space.bounds(numbers);
      return histogram(numbers, low, high, (x) => x);
    });
  }

  /** The gradients of the loss of each example with respect to the weights of every layer. */
  function gradients() {
    const { gradients, order, train } = training;
    const kept = [gradients.slice(), order[0]];
    const rows = Math.min(train.n, MAX_EXAMPLES);
    const layers = shape.layers.map((neurons) => neurons.flatMap(({ weights }) => weights));
    /** @type {number[][]} */
    const numbers = layers.map(() => []);
    try {
      for (let r = 0; r < rows; r++) {
        order[0] = Math.floor((r * train.n) / rows);
        gradients.fill(0);
        training.code.learn(8 * train.place, training.orderPlace, 1, 1);
        layers.forEach((weights, k) => {
          for (const w of weights) numbers[k].push(gradients[w]);
        });
      }
    } finally {
      gradients.set(/** @type {Float64Array} */ (kept[0]));
      order[0] = /** @type {number} */ (kept[1]);
    }
    return numbers.map((list) => histogram(list, LEAST, LARGEST, (x) => Math.log10(Math.abs(x))));
  }

  /** @param {Element} figure @param {Histogram} histogram */
  function drawBars(figure, { counts, low, high }) {
    const most = Math.max(1, ...counts);
    const bars = counts.map((count, i) => (count > 0 ? `M${i + 0.05} 20v${(-19 * Math.max(0.03, count / most)).toFixed(2)}h.9V20z` : ""));
    figure.querySelector("path")?.setAttribute("d", bars.join(""));
    const ends = figure.querySelectorAll("[data-end]");
    if (ends.length > 0) [ends[0].textContent, ends[1].textContent] = [formatNumber(low, 3), formatNumber(high, 3)];
  }

  /** Show the numbers of the histogram that is pointed at, and of its bar. */
  function explain() {
    const { figure, bar } = place;
    const histogram = figure && histograms.get(figure);
    for (const words of panel.querySelectorAll("[data-says]")) words.hidden = words.dataset.says !== (histogram ? "numbers" : "nothing");
    const isLog = figure?.dataset.kind === "gradients";
    for (const words of panel.querySelectorAll("[data-bar]")) {
      words.hidden = !histogram || bar < 0 || words.dataset.bar !== (isLog && bar === 0 ? "least" : isLog ? "gradients" : "outputs");
    }
    for (const each of panel.querySelectorAll("figure")) each.querySelector("rect").setAttribute("x", each === figure ? bar : -1);
    if (!histogram) return;
    const { numbers, counts, low, high } = histogram;
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
    const [least, largest] = space.bounds(numbers);
    const border = (/** @type {number} */ i) => low + (i * (high - low)) / BINS;
    const edge = (/** @type {number} */ i) => (isLog ? 10 ** border(i) : border(i));
    const texts = {
      n: numbers.length, mean, deviation, least, largest, count: counts[bar], from: edge(bar), to: edge(bar + 1),
    };
    for (const element of panel.querySelectorAll("#play-histogram-numbers [data-place]")) {
      const x = /** @type {any} */ (texts)[element.dataset.place];
      element.textContent = x === undefined ? "" : formatNumber(x, 3).replace(/\.0$/, "");
    }
    panel.querySelector("[data-place=figure]").textContent = figure.getAttribute("aria-label");
  }

  function build() {
    place.figure = null;
    panel.querySelector(".rows").replaceChildren(...shape.sizes.slice(1).map((_, k) => {
      return fromTemplate(k === shape.sizes.length - 2 ? "play-histogram-output" : "play-histogram", { layer: k + 1 });
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
    panel.addEventListener("pointerleave", () => {
      place.figure = null;
      explain();
    });
  }
  /** @param {HTMLElement} figure @param {number} bar */
  function point(figure, bar) {
    place.figure = figure;
    place.bar = clamp(bar, -1, BINS - 1);
    explain();
  }

  function draw() {
    if (!document.querySelector('#play-panels [value="histograms"]:checked')) return;
    try {
      const all = { outputs: outputs(), gradients: gradients() };
      for (const kind of /** @type {const} */ (["outputs", "gradients"])) {
        panel.querySelectorAll(`[data-kind="${kind}"]`).forEach((/** @type {Element} */ figure, /** @type {number} */ k) => {
          histograms.set(figure, all[kind][k]);
          drawBars(figure, all[kind][k]);
        });
      }
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      return; // without these numbers, the histograms stay as they are
    }
    explain();
  }

  build();
  document.addEventListener("play-shape", build);
  for (const name of ["play-shape", "play-data", "play-draw", "play-panel"]) document.addEventListener(name, draw);
  for (const choice of all("#play-panels > fieldset input")) {
    choice.addEventListener("change", () => document.dispatchEvent(new CustomEvent("play-panel")));
  }
}
