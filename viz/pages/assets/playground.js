// @ts-check
// The playground: the training in sight. Python wrote every word; this draws planes, lines and curves.

/**
 * @typedef {{element: HTMLElement, canvas: HTMLCanvasElement, a: number, z: number, layer: number, image: ImageData | null}} DrawnUnit
 *   a neuron, and the places of its weighted sum and of its output in what `show` writes
 * @typedef {{epoch: number, training: Scores, test: Scores}} Recorded
 * @typedef {{loss: number | null, accuracy: number | null}} Scores
 */

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
/** @param {string} selector @returns {any[]} */
const all = (selector) => [...document.querySelectorAll(selector)];

const data = JSON.parse(byId("page-data").textContent);
const training = new Training(data.training);
/** What is shown: the scores after every epoch, and the activation of the hidden layers. */
const shown = { curve: /** @type {Recorded[]} */ ([]), activation: /** @type {string} */ (data.activation) };

{
  const { inputs, outputs, task, train, test } = training.data;
  const N = Math.max(24, Math.min(100, Math.floor(Math.sqrt(4e6 / (training.data.signals + training.width)))));
  const SMALL = Math.ceil(N / 2); // pixels of the picture of a neuron
  const grid = training.place(N * N);
  const plane = training.reserve(N * N * training.data.signals);
  const signalsOfExamples = training.reserve(training.room * training.data.signals);
  training.allocate();

  /** @type {DrawnUnit[]} */
  const neurons = all("#play-network .unit[data-z]").map((element) => ({
    element, canvas: element.querySelector("canvas"), a: Number(element.dataset.a), z: Number(element.dataset.z),
    layer: Number(element.dataset.layer), image: null,
  }));
  const outputUnits = neurons.filter(({ layer }) => layer === data.sizes.length - 1);
  const lines = all("#play-lines line").map((element) => ({ element, weight: Number(element.dataset.weight) }));
  /** The neuron that is shown in large; null for the answer of the network. @type {DrawnUnit | null} */
  let selected = null;

  // The plane: two inputs go from left to right and from bottom to top, the others are held.

  const column = (/** @type {number} */ i) => [...train, ...test].map((row) => row[i]);
  const ranges = Array.from({ length: inputs }, (_, i) => {
    const numbers = column(i);
    const low = numbers.reduce((x, y) => Math.min(x, y));
    const high = numbers.reduce((x, y) => Math.max(x, y));
    const margin = 0.12 * (high - low) || 1;
    return [low - margin, high + margin];
  });
  const held = ranges.map(([low, high], i) => {
    const mean = column(i).reduce((x, y) => x + y, 0) / column(i).length;
    return Math.abs(mean) < 1e-12 * (high - low) ? 0 : mean;
  });
  const axes = [0, Math.min(1, inputs - 1)];
  const targets = [...train, ...test].map((row) => row[inputs]);
  const [lowest, highest] = [targets.reduce((x, y) => Math.min(x, y)), targets.reduce((x, y) => Math.max(x, y))];

  /** A coordinate of a row or column of the plane. @param {number} axis @param {number} share from 0 to 1 */
  const coordinate = (axis, share) => ranges[axis][0] + share * (ranges[axis][1] - ranges[axis][0]);

  function fillGrid() {
    for (let i = 0; i < N * N; i++) {
      const at = grid.place + i * training.width;
      for (let k = 0; k < inputs; k++) training.floats[at + k] = held[k];
      if (inputs > 1) training.floats[at + axes[1]] = coordinate(axes[1], 1 - (Math.floor(i / N) + 0.5) / N);
      training.floats[at + axes[0]] = coordinate(axes[0], ((i % N) + 0.5) / N);
    }
  }

  // Colours: from orange over the paper's to blue, and one for each class.

  const shades = new Uint32Array(256);
  /** @type {number[][]} */
  let classColours = [];
  let [ink, paper] = ["", ""];

  /** @param {string} colour such as "#d55e00" */
  const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  /** @param {number[]} from @param {number[]} to @param {number} t */
  const mixed = (from, to, t) => from.map((x, i) => Math.round(x + t * (to[i] - x)));
  /** @param {number[]} rgb */
  const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const [blue, orange, back] = ["--blue", "--orange", "--paper"].map((name) => channels(style.getPropertyValue(name).trim()));
    ink = style.getPropertyValue("--ink");
    paper = style.getPropertyValue("--paper");
    for (let i = 0; i < 256; i++) {
      const t = (2 * i) / 255 - 1;
      shades[i] = pixel(mixed(back, t < 0 ? orange : blue, 0.85 * Math.abs(t)));
    }
    classColours = data.colours.map(channels);
    if (task !== "classes") classColours = [orange, blue];
    for (const path of all("#play-legend [data-class]")) {
      path.setAttribute("d", MARKS[path.dataset.class]);
      path.setAttribute("fill", `rgb(${classColours[path.dataset.class]})`);
    }
  }

  const MARKS = [
    "M-4 0a4 4 0 1 1 8 0a4 4 0 1 1 -8 0z", "M-3.6-3.6H3.6V3.6H-3.6z", "M0-4.8L4.6 3.4H-4.6z", "M0-5L4 0L0 5L-4 0z",
    "M0 4.8L4.6-3.4H-4.6z", "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5z",
    "M0-5L1.4-1.6L5-1.5L2.2.8L3.1 4.4L0 2.4L-3.1 4.4L-2.2.8L-5-1.5L-1.4-1.6z",
    "M-4.4-1.6L-1.6-4.4L0-2.2L1.6-4.4L4.4-1.6L2.2 0L4.4 1.6L1.6 4.4L0 2.2L-1.6 4.4L-4.4 1.6L-2.2 0z",
  ];

  /** What the plane says at point i about the answer of the network, from -1 to 1. @param {number} i */
  function answer(i) {
    const y = training.floats[plane + i * training.data.signals + outputUnits[0].z];
    if (task === "binary") return Math.tanh(y / 2);
    if (task === "number") return highest > lowest ? (2 * (y - lowest)) / (highest - lowest) - 1 : y;
    return y;
  }

  /**
   * The function that takes an output of a neuron to a number from -1 to 1.
   * @param {DrawnUnit} unit
   * @returns {(z: number) => number}
   */
  function scaleOf({ layer, z }) {
    const isHidden = layer < data.sizes.length - 1;
    const name = isHidden && shown.activation !== "own" ? shown.activation : data.activations[layer - 1];
    if (name === "tanh" || name === "sign") return (x) => x;
    if (name === "sigmoid") return (x) => 2 * x - 1;
    let size = 1e-9;
    for (let i = 0; i < N * N; i += 3) size = Math.max(size, Math.abs(training.floats[plane + i * training.data.signals + z]));
    return (x) => x / size;
  }

  /** @param {number} t from -1 to 1 */
  const shade = (t) => shades[Math.max(0, Math.min(255, Math.round(127.5 * (t + 1))))] || shades[127];

  /** Draw the picture of a neuron. @param {DrawnUnit} unit */
  function drawNeuron(unit) {
    const { canvas } = unit;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    unit.image ??= context.createImageData(SMALL, SMALL);
    const pixels = new Uint32Array(unit.image.data.buffer);
    const scale = scaleOf(unit);
    const { floats } = training;
    const { signals } = training.data;
    const dark = pixel(channels(ink.trim()));
    for (let y = 0; y < SMALL; y++) {
      for (let x = 0; x < SMALL; x++) {
        const at = plane + (2 * y * N + 2 * x) * signals;
        const isAbove = floats[at + unit.a] > 0;
        const changes = (x > 0 && floats[at - 2 * signals + unit.a] > 0 !== isAbove)
          || (y > 0 && floats[at - 2 * N * signals + unit.a] > 0 !== isAbove);
        pixels[y * SMALL + x] = changes ? dark : shade(scale(floats[at + unit.z]));
      }
    }
    context.putImageData(unit.image, 0, 0);
  }

  const large = byId("play-canvas");
  const ofPlane = document.createElement("canvas");
  ofPlane.width = ofPlane.height = N;
  const image = new ImageData(N, N);
  const pixels = new Uint32Array(image.data.buffer);

  /** The colours of the large plane. */
  function colourPlane() {
    const { floats } = training;
    const { signals } = training.data;
    if (selected) {
      const scale = scaleOf(selected);
      for (let i = 0; i < N * N; i++) pixels[i] = shade(scale(floats[plane + i * signals + selected.z]));
    } else if (task === "classes") {
      const back = channels(paper.trim());
      /** @type {number[]} */
      const y = Array.from({ length: outputs }, () => 0);
      const places = outputUnits.length === outputs ? outputUnits.map(({ z }) => z) : [];
      for (let i = 0; i < N * N; i++) {
        for (let k = 0; k < outputs; k++) y[k] = floats[plane + i * signals + (places[k] ?? signals - outputs + k)];
        const best = largest(y);
        const posterior = 1 / y.reduce((sum, other) => sum + Math.exp(other - y[best]), 0);
        pixels[i] = pixel(mixed(back, classColours[best], 0.15 + 0.5 * posterior));
      }
    } else {
      for (let i = 0; i < N * N; i++) pixels[i] = shade(answer(i));
    }
  }

  /**
   * Draw the line where a function of the points of the plane is 0, cell by cell (marching squares).
   * @param {CanvasRenderingContext2D} context
   * @param {(i: number) => number} f
   * @param {number} size
   */
  function traceZero(context, f, size) {
    const cell = size / N;
    context.beginPath();
    for (let y = 0; y + 1 < N; y++) {
      for (let x = 0; x + 1 < N; x++) {
        const i = y * N + x;
        const [p, q, r, s] = [f(i), f(i + 1), f(i + N + 1), f(i + N)];
        if (p > 0 === q > 0 && q > 0 === r > 0 && r > 0 === s > 0) continue;
        /** @type {[number, number][]} */
        const ends = [];
        if (p > 0 !== q > 0) ends.push([x + p / (p - q), y]);
        if (q > 0 !== r > 0) ends.push([x + 1, y + q / (q - r)]);
        if (s > 0 !== r > 0) ends.push([x + s / (s - r), y + 1]);
        if (p > 0 !== s > 0) ends.push([x, y + p / (p - s)]);
        for (let k = 0; k + 1 < ends.length; k += 2) {
          context.moveTo((ends[k][0] + 0.5) * cell, (ends[k][1] + 0.5) * cell);
          context.lineTo((ends[k + 1][0] + 0.5) * cell, (ends[k + 1][1] + 0.5) * cell);
        }
      }
    }
    context.stroke();
  }

  function drawPlane() {
    const size = Math.round(large.clientWidth * Math.min(2, devicePixelRatio));
    if (size === 0) return;
    if (large.width !== size) large.width = large.height = size;
    const context = /** @type {CanvasRenderingContext2D} */ (large.getContext("2d"));
    colourPlane();
    /** @type {CanvasRenderingContext2D} */ (ofPlane.getContext("2d")).putImageData(image, 0, 0);
    context.drawImage(ofPlane, 0, 0, size, size);
    const unit = size / 300;
    context.strokeStyle = ink;
    const { floats } = training;
    const { signals } = training.data;
    const sum = (/** @type {DrawnUnit} */ { a }) => (/** @type {number} */ i) => floats[plane + i * signals + a];
    if (selected) {
      context.lineWidth = 2.2 * unit;
      traceZero(context, sum(selected), size);
    } else {
      context.lineWidth = 0.9 * unit;
      for (const neuron of neurons) if (neuron.layer === 1 && data.sizes.length > 2) traceZero(context, sum(neuron), size);
      context.lineWidth = 2.2 * unit;
      if (task !== "classes") traceZero(context, answer, size);
    }
    drawPoints(context, size, unit);
    const place = examples.cursor();
    if (place) {
      const [x, y] = [place[0] * size, (1 - place[1]) * size];
      context.lineWidth = 1.5 * unit;
      context.strokeRect(x - 6 * unit, y - 6 * unit, 12 * unit, 12 * unit);
    }
  }

  const examples = editExamples({
    canvas: large, axes, held, ranges, draw: () => drawPlane(),
    changed: () => {
      if (training.code) shown.curve[shown.curve.length - 1] = { ...scores(), epoch: training.epochs };
      byId("play-batch-size").max = String(train.length);
      byId("play-count").textContent = String(train.length);
      drawPlane();
      drawCurves();
    },
  });

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} size
   * @param {number} unit
   */
  function drawPoints(context, size, unit) {
    const paths = MARKS.map((mark) => new Path2D(mark));
    const scale = unit * (train.length > 300 ? 0.65 : train.length < 20 ? 1.5 : 0.9);
    const isOutside = inputs > 2;
    for (const [rows, isTest] of /** @type {[number[][], boolean][]} */ ([[train, false], [test, true]])) {
      for (const row of rows) {
        const [x, y] = axes.map((axis) => (row[axis] - ranges[axis][0]) / (ranges[axis][1] - ranges[axis][0]));
        const mark = markOf(row);
        context.setTransform(scale, 0, 0, scale, x * size, (inputs > 1 ? 1 - y : 0.5) * size);
        context.globalAlpha = isOutside ? 0.8 : 1;
        context.lineWidth = 1.1;
        context.fillStyle = isTest ? paper : mark.colour;
        context.strokeStyle = isTest ? mark.colour : paper;
        if (isTest) context.lineWidth = 1.8;
        context.fill(paths[mark.shape]);
        context.stroke(paths[mark.shape]);
      }
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
  }

  /** The shape and the colour of an example. @param {number[]} row */
  function markOf(row) {
    const target = row.slice(inputs);
    if (task === "number") {
      const t = highest > lowest ? (target[0] - lowest) / (highest - lowest) : 0.5;
      return { shape: 0, colour: `rgb(${mixed(classColours[0], classColours[1], t)})` };
    }
    const k = task === "classes" ? largest(target) : Number(target[0] > (task === "binary" ? 0.5 : 0));
    return { shape: k, colour: `rgb(${classColours[k]})` };
  }

  /** The pictures of the inputs, which change with the axes only. */
  function drawInputs() {
    for (const element of all("#play-network [data-input]")) {
      const axis = Number(element.dataset.input);
      const canvas = element.querySelector("canvas");
      canvas.width = canvas.height = SMALL;
      const context = canvas.getContext("2d");
      const picture = context.createImageData(SMALL, SMALL);
      const colours = new Uint32Array(picture.data.buffer);
      const size = Math.max(...ranges[axis].map(Math.abs));
      for (let i = 0; i < SMALL * SMALL; i++) {
        const share = axis === axes[0] ? ((i % SMALL) + 0.5) / SMALL : 1 - (Math.floor(i / SMALL) + 0.5) / SMALL;
        colours[i] = shade((axes.includes(axis) ? coordinate(axis, share) : held[axis]) / size);
      }
      context.putImageData(picture, 0, 0);
    }
  }

  function drawPlanes() {
    try {
      training.show(grid, plane);
    } catch (error) {
      if (!(error instanceof NoValue)) throw error; // there is a point of the plane where an operation has no value
    }
    for (const neuron of neurons) drawNeuron(neuron);
    drawPlane();
  }

  // Lines, curves and numbers.

  function drawLines() {
    let size = 1;
    for (const w of training.weights) size = Math.max(size, Math.abs(w));
    for (const { element, weight } of lines) {
      const w = training.weights[weight];
      element.dataset.sign = Math.sign(w);
      element.style.strokeWidth = `${(0.6 + (9 * Math.abs(w)) / Math.max(4, size)).toFixed(2)}px`;
    }
    for (const bias of all("#play-network .bias")) bias.dataset.sign = Math.sign(training.weights[bias.dataset.bias]);
  }

  function placeLines() {
    const frame = byId("play-network").getBoundingClientRect();
    for (const { element } of lines) {
      const [from, to] = [element.dataset.from, element.dataset.to]
        .map((id) => byId(id).querySelector("canvas").getBoundingClientRect());
      element.setAttribute("x1", from.right - frame.left);
      element.setAttribute("y1", (from.top + from.bottom) / 2 - frame.top);
      element.setAttribute("x2", to.left - frame.left);
      element.setAttribute("y2", (to.top + to.bottom) / 2 - frame.top);
    }
  }

  function record() {
    shown.curve.push({ epoch: training.epochs, training: training.evaluate(training.train), test: training.evaluate(training.test) });
  }

  function drawCurves() {
    const { curve } = shown;
    const stride = Math.ceil(curve.length / 300);
    const drawn = curve.filter((_, i) => i % stride === 0 || i === curve.length - 1);
    for (const path of all("#play-curves path")) {
      const part = /** @type {"training" | "test"} */ (path.dataset.part);
      const kind = /** @type {"loss" | "accuracy"} */ (path.dataset.kind);
      const losses = drawn.flatMap((at) => [at.training.loss ?? 0, at.test.loss ?? 0]).filter(Number.isFinite);
      const high = kind === "loss" ? Math.max(1e-12, ...losses) : 1;
      const points = drawn.filter((at) => Number.isFinite(at[part][kind])).map((at) => {
        const x = (300 * at.epoch) / Math.max(1, training.epochs);
        return `${x.toFixed(2)} ${(98 - (96 * (at[part][kind] ?? 0)) / high).toFixed(2)}`;
      });
      path.setAttribute("d", `M${points.join("L")}`);
    }
    const last = curve[curve.length - 1];
    for (const part of /** @type {const} */ (["training", "test"])) {
      const { loss, accuracy } = last[part];
      if (byId(`play-${part}-loss`)) byId(`play-${part}-loss`).textContent = formatNumber(loss ?? 0, 4);
      if (byId(`play-${part}-accuracy`)) byId(`play-${part}-accuracy`).textContent = `${(100 * (accuracy ?? 0)).toFixed(1)} %`;
    }
    for (const end of all("[data-last]")) end.textContent = String(training.epochs);
    byId("play-epoch").textContent = String(training.epochs);
    byId("play-steps").textContent = String(training.steps);
  }

  /** @param {HTMLElement} element @param {string} name @returns {any} */
  const markOfNeuron = (element, name) => element.querySelector(`[data-mark="${name}"]`);

  /** Mark hidden neurons that learn nothing, because their slope is 0, or nearly, for the training examples. */
  function drawMarks() {
    try {
      training.show(training.train, signalsOfExamples);
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      return; // without these signals, the marks stay as they are
    }
    for (const { element, a, z, layer } of neurons) {
      const name = shown.activation;
      const numbers = (/** @type {number} */ k) => train.map((_, i) => {
        return training.floats[signalsOfExamples + i * training.data.signals + k];
      });
      const isHidden = layer < data.sizes.length - 1;
      const flat = { tanh: (/** @type {number} */ y) => 1 - y * y, sigmoid: (/** @type {number} */ y) => y * (1 - y) }[name];
      const isDead = isHidden && name === "relu" && numbers(a).every((sum) => sum <= 0);
      const isSaturated = isHidden && !!flat && numbers(z).filter((y) => flat(y) < 0.02).length >= 0.95 * train.length;
      markOfNeuron(element, "dead").hidden = !isDead;
      markOfNeuron(element, "saturated").hidden = !isSaturated;
    }
    explainMarks();
  }

  /** Say what the mark of the neuron in large means. */
  function explainMarks() {
    for (const words of all("[data-explains]")) {
      words.hidden = !selected || markOfNeuron(selected.element, words.dataset.explains).hidden;
    }
  }

  function draw() {
    drawMarks();
    drawPlanes();
    drawLines();
    drawCurves();
  }

  // What can be done.

  let frame = 0;
  let lastStep = 0;
  const play = byId("page-play");

  /** @param {string} name the message to show; "" for none */
  function say(name) {
    for (const message of all("#play-message span")) message.hidden = message.id !== `play-${name}`;
  }

  /**
   * Do some steps; if a number is not finite, stop with the weights before that step.
   * @param {() => void} steps
   */
  function run(steps) {
    say("");
    const { epochs, steps: before } = training;
    try {
      steps();
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      pause();
      say(error.kind === "overflow" ? "overflow" : "novalue");
    }
    if (training.steps === before) return;
    if (training.epochs > epochs && shown.curve[shown.curve.length - 1].epoch < training.epochs) record();
    else if (training.epochs === epochs) shown.curve[shown.curve.length - 1] = { ...scores(), epoch: training.epochs };
  }
  const scores = () => ({ training: training.evaluate(training.train), test: training.evaluate(training.test) });

  function pause() {
    cancelAnimationFrame(frame);
    frame = 0;
    play.setAttribute("aria-label", "play");
    play.classList.remove("playing");
  }

  /** One epoch, with its scores; it pauses at a plateau if that is wished. */
  function epoch() {
    training.epoch();
    record();
    if (byId("play-plateau").checked && training.hasConverged()) {
      pause();
      say("converged");
    }
  }

  /** @param {number} now in milliseconds */
  function nextFrame(now) {
    frame = requestAnimationFrame(nextFrame);
    const speed = byId("play-speed").value;
    if (speed === "slow") {
      if (now - lastStep < 400) return;
      lastStep = now;
      run(() => training.step());
    } else {
      run(() => {
        do epoch();
        while (frame && speed === "fast" && performance.now() - now < 12);
      });
    }
    draw();
  }

  /** @type {Record<string, () => void>} */
  const commands = {
    "page-play": () => {
      if (frame) {
        pause();
      } else {
        play.setAttribute("aria-label", "pause");
        play.classList.add("playing");
        frame = requestAnimationFrame(nextFrame);
      }
    },
    "play-step": () => {
      pause();
      run(() => training.step());
      draw();
    },
    "play-example": () => {
      pause();
      run(() => training.step(1));
      draw();
    },
    "play-epochs": () => {
      pause();
      run(epoch);
      draw();
    },
    "play-reset": () => {
      pause();
      reset();
    },
    "page-dark": () => setTheme(document.documentElement.dataset.theme !== "dark"),
  };
  const keys = { " ": "page-play", ArrowRight: "play-step", e: "play-epochs", x: "play-example", r: "play-reset" };
  for (const [id, command] of Object.entries(commands)) byId(id).addEventListener("click", command);
  addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.altKey || event.metaKey || target.closest("input, select")) return;
    if ((event.key === " " || event.key === "Enter") && target.closest("button")) return;
    const command = commands[keys[/** @type {keyof typeof keys} */ (event.key)]];
    if (!command) return;
    command();
    event.preventDefault();
  });

  function reset() {
    say("");
    training.reset();
    shown.curve = [];
    record();
    draw();
  }

  // Settings, which count from the next step on.

  /**
   * Let a field be a number of the training.
   * @param {string} id
   * @param {() => number | undefined} get undefined if there is no such number now
   * @param {(x: number) => void} set
   */
  function numberOf(id, get, set) {
    const input = byId(id);
    const show = () => {
      const x = get();
      input.closest("label").hidden = x === undefined;
      input.value = x === undefined ? "" : String(x);
    };
    input.addEventListener("input", () => {
      const x = input.valueAsNumber;
      const isRight = input.value !== "" && input.validity.valid && Number.isFinite(x);
      input.setAttribute("aria-invalid", String(!isRight));
      if (isRight) set(x);
    });
    input.addEventListener("blur", () => {
      input.removeAttribute("aria-invalid");
      show();
    });
    show();
    return show;
  }
  const settings = () => training.settings[training.optimizer];
  const shows = ["learning rate", "momentum", "weight decay"].map((name) => {
    const key = name.replace(" ", "_");
    return numberOf(`play-${name.replace(" ", "-")}`, () => settings()[key], (x) => {
      training.noteChange();
      settings()[key] = x;
    });
  });
  numberOf("play-batch-size", () => training.batch, (x) => {
    training.noteChange();
    training.batch = x;
  });
  numberOf("play-seed", () => training.data.seed, (x) => {
    training.data.seed = x;
    drawWeights();
  });
  byId("play-optimizer").value = training.optimizer;
  byId("play-optimizer").addEventListener("change", (/** @type {any} */ event) => {
    training.choose(event.target.value);
    for (const show of shows) show();
  });

  /** Begin again with the weights of the chosen scheme and seed. */
  function drawWeights() {
    const scheme = byId("play-first-weights").value;
    if (scheme) training.draw(scheme, training.data.seed, data.sizes);
    else training.data.weights = [...first];
    pause();
    reset();
  }
  const first = [...training.data.weights];
  byId("play-first-weights").addEventListener("change", drawWeights);

  /** @param {string} name */
  async function chooseActivation(name) {
    await training.load(Uint8Array.from(atob(data.codes[name]), (c) => c.charCodeAt(0)));
    shown.activation = name;
  }
  byId("play-activation")?.addEventListener("change", async (/** @type {any} */ event) => {
    pause();
    await chooseActivation(event.target.value);
    reset();
  });

  // Neurons and weights.

  /** @param {DrawnUnit | null} unit */
  function select(unit) {
    selected = unit;
    for (const { element } of neurons) element.setAttribute("aria-pressed", String(element === unit?.element));
    byId("play-shown").textContent = (unit?.element ?? outputUnits[0].element).getAttribute("aria-label");
    if (!unit) byId("play-shown").textContent = byId("play-shown").dataset.answer;
    explainMarks();
  }
  for (const neuron of neurons) {
    neuron.canvas.width = neuron.canvas.height = SMALL;
    neuron.element.addEventListener("click", () => {
      select(selected === neuron ? null : neuron);
      drawPlane();
      if (!neuron.element.matches(":focus-visible")) neuron.element.blur(); // so that the keys train again
    });
  }
  select(null);
  for (const { element, weight } of lines) {
    element.addEventListener("pointerenter", () => {
      byId("play-weight-name").textContent = element.dataset.name;
      byId("play-weight-data").textContent = formatNumber(training.weights[weight], 4);
      byId("play-weight-gradient").textContent = formatNumber(training.gradients[weight], 4);
      byId("play-weight").hidden = false;
    });
    element.addEventListener("pointerleave", () => {
      byId("play-weight").hidden = true;
    });
  }

  // The inputs of the plane.

  function showAxes() {
    for (const label of all("[data-held]")) label.hidden = axes.includes(Number(label.dataset.held));
    fillGrid();
    drawInputs();
  }
  for (const [k, id] of ["play-input-across", "play-input-up"].entries()) {
    const choice = byId(id);
    if (!choice) continue;
    choice.value = String(axes[k]);
    choice.addEventListener("change", () => {
      axes[k] = Number(choice.value);
      showAxes();
      drawPlanes();
    });
  }
  for (const label of all("[data-held]")) {
    const i = Number(label.dataset.held);
    const slider = label.querySelector("input");
    [slider.min, slider.max] = ranges[i].map(String);
    slider.value = String(held[i]);
    const show = () => {
      label.querySelector("output").textContent = formatNumber(held[i], 3);
    };
    slider.addEventListener("input", () => {
      held[i] = slider.valueAsNumber;
      show();
      showAxes();
      drawPlanes();
    });
    show();
  }

  // The layout and the colours.

  /** @param {boolean} dark */
  function setTheme(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    byId("page-dark").setAttribute("aria-pressed", dark);
    readColours();
    drawInputs();
    if (training.code) drawPlanes();
  }
  const network = byId("play-network");
  const columns = all("#play-network .units");
  network.style.setProperty("--rows", String(Math.max(...columns.map(({ children }) => children.length))));
  network.style.setProperty("--columns", String(columns.length));
  new ResizeObserver(() => {
    placeLines();
    if (training.code) drawPlane();
  }).observe(network);
  new ResizeObserver(() => training.code && drawPlane()).observe(large);
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  prefersDark.addEventListener("change", () => setTheme(prefersDark.matches));

  showAxes();
  setTheme(prefersDark.matches);
  chooseActivation(shown.activation).then(() => {
    reset();
    const here = shown.curve[0].training.loss ?? 0;
    byId("page-differs").hidden = Math.abs(here - data.first) <= 1e-9 * Math.max(1, Math.abs(data.first));
    byId("play-here").textContent = String(here);
    byId("play-recorded").textContent = String(data.first);
    document.body.dataset.ready = "";
  });
}
