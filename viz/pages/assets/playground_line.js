// @ts-check
// Curves instead of planes, for a model of one input: its output and its neurons.

const line = (() => {
  const { outputs, task } = training.data;

  /**
   * Clear a canvas, and draw functions of the points of the grid over faint lines at some levels.
   * @param {HTMLCanvasElement} canvas
   * @param {number} n the number of points
   * @param {{f: (i: number) => number, colour: string}[]} functions
   * @param {{range: number[], levels: number[], lineWidth: number}} options the range goes from the bottom to the top
   */
  function draw(canvas, n, functions, { range, levels, lineWidth }) {
    const { width, height } = canvas;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @param {(i: number) => number} f */
    const trace = (f) => {
      context.beginPath();
      for (let i = 0; i < n; i++) context.lineTo(((i + 0.5) * width) / n, (1 - space.share(f(i), range)) * height);
      context.stroke();
    };
    context.clearRect(0, 0, width, height);
    context.strokeStyle = colours.drawn.ink;
    context.lineWidth = lineWidth / 2;
    context.globalAlpha = 0.4;
    for (const level of levels) trace(() => level);
    context.globalAlpha = 1;
    context.lineWidth = lineWidth;
    for (const { f, colour } of functions) {
      context.strokeStyle = colour;
      trace(f);
    }
  }

  return {
    /**
     * Draw the curve of a neuron.
     * @param {HTMLCanvasElement} canvas
     * @param {number} n
     * @param {(i: number) => number} f its output at a point, from -1 to 1
     * @param {number} lineWidth
     */
    drawNeuron(canvas, n, f, lineWidth) {
      draw(canvas, n, [{ f, colour: colours.drawn.ink }], { range: [-1.15, 1.15], levels: [0], lineWidth });
    },
    /**
     * Draw the curve of the output, of the probability of the second class, or those of all classes.
     * @param {HTMLCanvasElement} canvas
     * @param {number} n
     * @param {(i: number, k: number) => number} output output k at point i
     * @param {number} unit the size of a pixel
     */
    drawOutput(canvas, n, output, unit) {
      const { ink, classes } = colours.drawn;
      const all = Array.from({ length: outputs }, (_, k) => k);
      const softmax = (/** @type {number} */ i, /** @type {number} */ k) => {
        return 1 / all.reduce((sum, j) => sum + Math.exp(output(i, j) - output(i, k)), 0);
      };
      const logistic = (/** @type {number} */ i) => 1 / (1 + Math.exp(-output(i, 0)));
      const functions = task === "classes"
        ? all.map((k) => ({ f: (/** @type {number} */ i) => softmax(i, k), colour: `rgb(${classes[k]})` }))
        : [{ f: task === "binary" ? logistic : (/** @type {number} */ i) => output(i, 0), colour: ink }];
      const levels = task === "binary" || task === "classes" ? [0, 1] : [0];
      draw(canvas, n, functions, { range: space.outputs, levels, lineWidth: 2.2 * unit });
    },
  };
})();
