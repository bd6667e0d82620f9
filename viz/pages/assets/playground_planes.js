// @ts-check
// The planes of the neurons and of the output of the network.

const planes = (() => {
  const { inputs, outputs, task } = training.data;
  const { axes, held, ranges, targetRange, coordinate } = space;
  const { drawn, channels, mixed, pixel, shade } = colours;
  const { neurons, outputUnits } = network;
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
      for (let k = 0; k < inputs; k++) training.floats[at + k] = held[k];
      if (inputs > 1) training.floats[at + axes[1]] = coordinate(axes[1], 1 - (Math.floor(i / N) + 0.5) / N);
      training.floats[at + axes[0]] = coordinate(axes[0], ((i % N) + 0.5) / N);
    }
  }

  /** The output of the network at point i, scaled from -1 to 1 as the colours of the plane are. @param {number} i */
  function output(i) {
    const y = training.floats[plane + i * training.signals + outputUnits[0].z];
    if (task === "binary") return Math.tanh(y / 2);
    const [lowest, highest] = targetRange;
    if (task === "number") return highest > lowest ? (2 * (y - lowest)) / (highest - lowest) - 1 : y;
    return y;
  }

  /**
   * The function that scales an output of a neuron to -1 to 1.
   * @param {DrawnUnit} unit
   * @returns {(z: number) => number}
   */
  function scaleOf({ layer, z }) {
    const name = shape.activationOf(layer);
    if (name === "tanh" || name === "sign") return (x) => x;
    if (name === "sigmoid") return (x) => 2 * x - 1;
    let size = 1e-9;
    for (let i = 0; i < POINTS; i += 3) size = Math.max(size, Math.abs(training.floats[plane + i * training.signals + z]));
    return (x) => x / size;
  }

  /** Draw the picture of a neuron. @param {DrawnUnit} unit */
  function drawNeuron(unit) {
    const { canvas } = unit;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    if (canvas.width !== SMALL) canvas.width = canvas.height = SMALL;
    const scale = scaleOf(unit);
    if (isLine) {
      line.drawNeuron(context, N, (i) => scale(training.floats[plane + i * training.signals + unit.z]), 4);
      return;
    }
    unit.image ??= context.createImageData(SMALL, SMALL);
    const pixels = new Uint32Array(unit.image.data.buffer);
    const { floats } = training;
    const { signals } = training;
    const dark = pixel(channels(drawn.ink));
    const step = (N / SMALL) * signals;
    for (let y = 0; y < SMALL; y++) {
      for (let x = 0; x < SMALL; x++) {
        const at = plane + step * (y * N + x);
        const isAbove = floats[at + unit.a] > 0;
        const changes = (x > 0 && floats[at - step + unit.a] > 0 !== isAbove)
          || (y > 0 && floats[at - step * N + unit.a] > 0 !== isAbove);
        pixels[y * SMALL + x] = changes ? dark : shade(scale(floats[at + unit.z]));
      }
    }
    context.putImageData(unit.image, 0, 0);
  }

  const large = byId("play-canvas");
  const ofPlane = document.createElement("canvas");
  let image = new ImageData(N, N);
  let pixels = new Uint32Array(image.data.buffer);

  /** Compute so many points per row from now on. @param {number} n */
  function resize(n) {
    if (n === N) return;
    [N, POINTS] = [n, n * n];
    image = new ImageData(n, n);
    pixels = new Uint32Array(image.data.buffer);
    fillGrid();
  }

  /** The place of an output of the network among the signals. @param {number} k */
  const placeOfOutput = (k) => training.signals - outputs + k;

  /** The colours of the large plane. */
  function colourPlane() {
    const { floats } = training;
    const { signals } = training;
    const { selected } = shown;
    if (selected) {
      const scale = scaleOf(selected);
      for (let i = 0; i < POINTS; i++) pixels[i] = shade(scale(floats[plane + i * signals + selected.z]));
    } else if (task === "classes") {
      const back = channels(drawn.paper);
      const tints = drawn.classes.map((colour) => Array.from({ length: 65 }, (_, t) => pixel(mixed(back, colour, 0.15 + t / 128))));
      for (let i = 0; i < POINTS; i++) {
        const first = plane + i * signals + placeOfOutput(0);
        let best = 0;
        for (let k = 1; k < outputs; k++) if (floats[first + k] > floats[first + best]) best = k;
        let sum = 0;
        for (let k = 0; k < outputs; k++) sum += Math.exp(floats[first + k] - floats[first + best]);
        pixels[i] = tints[best][Math.round(64 / sum) || 0];
      }
    } else {
      for (let i = 0; i < POINTS; i++) pixels[i] = shade(output(i));
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
    drawInto(large);
  }

  /** Draw the large plane into a square canvas. @param {HTMLCanvasElement} canvas */
  function drawInto(canvas) {
    const size = canvas.width;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const unit = size / 300;
    if (isLine) drawCurve(context, unit);
    else drawColours(context, size, unit);
    points.draw(context, size, unit);
    const place = points.cursor();
    if (place) {
      const [x, y] = [place[0] * size, (1 - place[1]) * size];
      context.strokeStyle = drawn.ink;
      context.lineWidth = 1.5 * unit;
      context.strokeRect(x - 6 * unit, y - 6 * unit, 12 * unit, 12 * unit);
    }
  }

  /** Draw the output, or the enlarged neuron, over the only input. @param {CanvasRenderingContext2D} context @param {number} unit */
  function drawCurve(context, unit) {
    const { selected } = shown;
    const read = (/** @type {number} */ i, /** @type {number} */ place) => training.floats[plane + i * training.signals + place];
    if (selected) {
      const scale = scaleOf(selected);
      line.drawNeuron(context, N, (i) => scale(read(i, selected.z)), 2.2 * unit);
    } else {
      line.drawOutput(context, N, (i, k) => read(i, placeOfOutput(k)), unit);
    }
  }

  /**
   * Draw the colours of the plane, and the lines where it is 0.
   * @param {CanvasRenderingContext2D} context
   * @param {number} size
   * @param {number} unit
   */
  function drawColours(context, size, unit) {
    colourPlane();
    if (ofPlane.width !== N) ofPlane.width = ofPlane.height = N;
    /** @type {CanvasRenderingContext2D} */ (ofPlane.getContext("2d")).putImageData(image, 0, 0);
    context.drawImage(ofPlane, 0, 0, size, size);
    context.strokeStyle = drawn.ink;
    const { floats } = training;
    const { signals } = training;
    const sum = (/** @type {DrawnUnit} */ { a }) => (/** @type {number} */ i) => floats[plane + i * signals + a];
    const { selected } = shown;
    if (selected) {
      context.lineWidth = 2.2 * unit;
      traceZero(context, sum(selected), size);
    } else {
      context.lineWidth = 0.9 * unit;
      for (const neuron of neurons) if (neuron.layer === 1 && shape.sizes.length > 2) traceZero(context, sum(neuron), size);
      context.lineWidth = 2.2 * unit;
      if (task !== "classes") traceZero(context, output, size);
    }
  }

  /** The pictures of the inputs, which change with the axes only. */
  function drawInputs() {
    for (const element of all("#play-network [data-input]")) {
      const axis = Number(element.dataset.input);
      const canvas = element.querySelector("canvas");
      canvas.width = canvas.height = SMALL;
      const context = canvas.getContext("2d");
      if (isLine) {
        line.drawNeuron(context, N, (i) => (2 * i) / N - 1, 4);
        continue;
      }
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

  /** The time in milliseconds of the last drawing with the most points. */
  let cost = 0;

  /** Draw all planes; while the network learns, with half the points per row if the full planes take too long. */
  function drawPlanes() {
    const start = performance.now();
    const isCoarse = !isLine && player.isPlaying && cost > BUDGET;
    if (!isLine) resize(isCoarse ? FINEST / 2 : FINEST);
    try {
      training.show(grid, plane);
    } catch (error) {
      if (!(error instanceof NoValue)) throw error; // there is a point of the plane where an operation has no value
    }
    for (const neuron of neurons) drawNeuron(neuron);
    drawPlane();
    if (!isCoarse) cost = performance.now() - start;
  }

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
    const show = () => {
      [slider.min, slider.max] = ranges[i].map(String);
      slider.value = String(held[i]);
      label.querySelector("b").textContent = formatNumber(held[i], 3);
    };
    slider.addEventListener("input", () => {
      held[i] = slider.valueAsNumber;
      label.querySelector("b").textContent = formatNumber(held[i], 3);
      showAxes();
      drawPlanes();
    });
    document.addEventListener("play-data", show);
    show();
  }
  document.addEventListener("play-data", () => {
    showAxes();
    drawPlanes();
  });

  new ResizeObserver(() => drawPlane()).observe(large);
  return { canvas: large, drawInto, drawPlane, drawAll: drawPlanes, drawInputs, showAxes };
})();
