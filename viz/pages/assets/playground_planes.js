// @ts-check
// The planes of the neurons and of the output of the network.

const planes = (() => {
  const { inputs, outputs, task } = training.data;
  const { axes, held, ranges, targetRange, coordinate } = space;
  const { drawn, channels, mixed, pixel, shade } = colours;
  const isLine = inputs === 1; // then the grid is a row of points
  const FINEST = clamp(2 * Math.floor(Math.sqrt(1e6 / (shape.maxSignals + training.width))), 24, 100);
  const SMALL = isLine ? 100 : FINEST / 2; // pixels of the picture of a neuron
  const BUDGET = 6; // milliseconds to draw all planes of a frame
  /** The points of a row, and of all rows. */
  let [N, POINTS] = isLine ? [200, 200] : [FINEST, FINEST ** 2];
  const grid = training.place(POINTS);
  const plane = training.reserve(POINTS * shape.maxSignals);
  training.allocate();

  function fillGrid() {
    grid.n = POINTS;
    for (let i = 0; i < POINTS; i++) {
      const at = grid.place + i * training.width;
      training.floats.set(held, at);
      if (inputs > 1) training.floats[at + axes[1]] = coordinate(axes[1], 1 - (Math.floor(i / N) + 0.5) / N);
      training.floats[at + axes[0]] = coordinate(axes[0], ((i % N) + 0.5) / N);
    }
  }

  /** The signal of a neuron, by its place, at point i. @param {number} place */
  const signalOf = (place) => {
    const { floats, signals } = training;
    return (/** @type {number} */ i) => floats[plane + i * signals + place];
  };
  /** Output k of the network at point i. @param {number} k */
  const outputOf = (k) => signalOf(training.signals - outputs + k);

  /** The first output at point i, scaled from -1 to 1 as the colours of the plane are. @returns {(i: number) => number} */
  function scaledOutput() {
    const y = outputOf(0);
    if (task === "binary") return (i) => Math.tanh(y(i) / 2);
    const [lowest, highest] = targetRange;
    return task === "number" && highest > lowest ? (i) => (2 * (y(i) - lowest)) / (highest - lowest) - 1 : y;
  }

  /**
   * The output of a neuron at point i, scaled to -1 to 1.
   * @param {DrawnUnit} unit
   * @returns {(i: number) => number}
   */
  function scaledSignal({ layer, z }) {
    const name = shape.activationOf(layer);
    const signal = signalOf(z);
    if (name === "tanh" || name === "sign") return signal;
    if (name === "sigmoid") return (i) => 2 * signal(i) - 1;
    let size = 1e-9;
    for (let i = 0; i < POINTS; i += 3) size = Math.max(size, Math.abs(signal(i)));
    return (i) => signal(i) / size;
  }

  /**
   * Draw a small picture, pixel by pixel.
   * @param {HTMLCanvasElement} canvas
   * @param {(x: number, y: number) => number} colour that of a pixel
   */
  function drawSmall(canvas, colour) {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const picture = context.createImageData(SMALL, SMALL);
    const pixels = new Uint32Array(picture.data.buffer);
    for (let y = 0; y < SMALL; y++) for (let x = 0; x < SMALL; x++) pixels[y * SMALL + x] = colour(x, y);
    context.putImageData(picture, 0, 0);
  }

  /** Draw the picture of a neuron, with a line where its sum is 0. @param {DrawnUnit} unit */
  function drawNeuron(unit) {
    const { canvas, a } = unit;
    if (canvas.width !== SMALL) canvas.width = canvas.height = SMALL;
    const output = scaledSignal(unit);
    if (isLine) {
      line.drawNeuron(canvas, N, output, 4);
      return;
    }
    const dark = pixel(channels(drawn.ink));
    const step = N / SMALL;
    const sum = signalOf(a);
    drawSmall(canvas, (x, y) => {
      const i = step * (y * N + x);
      const isAbove = sum(i) > 0;
      const changes = (x > 0 && sum(i - step) > 0 !== isAbove) || (y > 0 && sum(i - step * N) > 0 !== isAbove);
      return changes ? dark : shade(output(i));
    });
  }

  const large = byId("play-canvas");
  const ofPlane = document.createElement("canvas");

  /** Compute so many points per row from now on. @param {number} n */
  function resize(n) {
    if (n === N) return;
    [N, POINTS] = [n, n * n];
    fillGrid();
  }

  /** Color the large plane. @param {Uint32Array} pixels */
  function colourPlane(pixels) {
    if (task !== "classes" || shown.selected) {
      const output = shown.selected ? scaledSignal(shown.selected) : scaledOutput();
      for (let i = 0; i < POINTS; i++) pixels[i] = shade(output(i));
      return;
    }
    const back = channels(drawn.paper);
    const tints = drawn.classes.map((colour) => Array.from({ length: 65 }, (_, t) => pixel(mixed(back, colour, 0.15 + t / 128))));
    const { floats, signals } = training;
    for (let i = 0; i < POINTS; i++) {
      const first = plane + (i + 1) * signals - outputs;
      let [best, sum] = [0, 0];
      for (let k = 1; k < outputs; k++) if (floats[first + k] > floats[first + best]) best = k;
      for (let k = 0; k < outputs; k++) sum += Math.exp(floats[first + k] - floats[first + best]);
      pixels[i] = tints[best][Math.round(64 / sum) || 0];
    }
  }

  /**
   * Draw the line where a function of the points of the plane is 0, cell by cell (marching squares).
   * @param {CanvasRenderingContext2D} context
   * @param {(i: number) => number} f
   */
  function traceZero(context, f) {
    const cell = context.canvas.width / N;
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
    drawInto(large);
  }

  /** Draw the large plane into a square canvas. @param {HTMLCanvasElement} canvas */
  function drawInto(canvas) {
    const size = canvas.width;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const unit = size / 300;
    if (!isLine) drawColours(context, unit);
    else if (shown.selected) line.drawNeuron(canvas, N, scaledSignal(shown.selected), 2.2 * unit);
    else line.drawOutput(canvas, N, (i, k) => outputOf(k)(i), unit);
    points.draw(context, size, unit);
    const place = points.cursor();
    if (!place) return;
    const [x, y] = [place[0] * size, (1 - place[1]) * size];
    context.strokeStyle = drawn.ink;
    context.lineWidth = 1.5 * unit;
    context.strokeRect(x - 6 * unit, y - 6 * unit, 12 * unit, 12 * unit);
  }

  /**
   * Draw the colours of the plane, and the lines where it is 0.
   * @param {CanvasRenderingContext2D} context
   * @param {number} unit
   */
  function drawColours(context, unit) {
    const image = new ImageData(N, N);
    colourPlane(new Uint32Array(image.data.buffer));
    if (ofPlane.width !== N) ofPlane.width = ofPlane.height = N;
    /** @type {CanvasRenderingContext2D} */ (ofPlane.getContext("2d")).putImageData(image, 0, 0);
    context.drawImage(ofPlane, 0, 0, context.canvas.width, context.canvas.width);
    context.strokeStyle = drawn.ink;
    const { selected } = shown;
    context.lineWidth = 0.9 * unit;
    const lines = selected || shape.sizes.length < 3 ? [] : network.neurons.filter(({ layer }) => layer === 1);
    for (const { a } of lines) traceZero(context, signalOf(a));
    context.lineWidth = 2.2 * unit;
    if (selected || task !== "classes") traceZero(context, selected ? signalOf(selected.a) : scaledOutput());
  }

  /** Draw the pictures of the inputs, which change with the axes only. */
  function drawInputs() {
    for (const element of all("#play-network [data-input]")) {
      const axis = Number(element.dataset.input);
      const canvas = element.querySelector("canvas");
      canvas.width = canvas.height = SMALL;
      const size = Math.max(...ranges[axis].map(Math.abs));
      if (isLine) line.drawNeuron(canvas, N, (i) => (2 * i) / N - 1, 4);
      else {
        drawSmall(canvas, (x, y) => {
          const share = axis === axes[0] ? (x + 0.5) / SMALL : 1 - (y + 0.5) / SMALL;
          return shade((axes.includes(axis) ? coordinate(axis, share) : held[axis]) / size);
        });
      }
    }
  }

  /** The time in milliseconds of the last drawing with the most points. */
  let cost = 0;

  /** Draw all planes; while the network learns, with half the points per row if the full planes take too long. */
  function drawAll() {
    const start = performance.now();
    const isCoarse = !isLine && player.isPlaying && cost > BUDGET;
    if (!isLine) resize(isCoarse ? FINEST / 2 : FINEST);
    succeeds(() => training.show(grid, plane)); // an operation may have no value at a point of the plane
    network.neurons.forEach(drawNeuron);
    drawPlane();
    if (!isCoarse) cost = performance.now() - start;
  }

  function showAxes() {
    for (const label of all("[data-held]")) label.hidden = axes.includes(Number(label.dataset.held));
    fillGrid();
    drawInputs();
  }
  function changeAxes() {
    showAxes();
    drawAll();
  }

  const choices = all("#play-axes select");
  const showChoices = () => choices.forEach((choice, k) => (choice.value = String(axes[k])));
  for (const [k, choice] of choices.entries()) {
    choice.addEventListener("change", () => {
      const axis = Number(choice.value);
      if (axes[1 - k] === axis) axes[1 - k] = axes[k]; // they change places
      axes[k] = axis;
      showChoices();
      changeAxes();
    });
  }
  showChoices();
  for (const label of all("[data-held]")) {
    const i = Number(label.dataset.held);
    const slider = label.querySelector("input");
    const show = () => {
      [slider.min, slider.max, slider.value] = [...ranges[i], held[i]].map(String);
      label.querySelector("b").textContent = formatNumber(held[i], 3);
    };
    slider.addEventListener("input", () => {
      held[i] = slider.valueAsNumber;
      label.querySelector("b").textContent = formatNumber(held[i], 3);
      changeAxes();
    });
    on("play-data", show);
    show();
  }
  on("play-data", changeAxes);

  new ResizeObserver(() => drawPlane()).observe(large);
  return { canvas: large, drawInto, drawPlane, drawAll, drawInputs, showAxes };
})();
