// @ts-check
// Curves instead of planes, for a model of one input: its output and its neurons.

const line = (() => {
  const { outputs, task } = training.data;

  /**
   * Draw a function of the points of the grid.
   * @param {CanvasRenderingContext2D} context
   * @param {number} n the number of points
   * @param {(i: number) => number} f
   * @param {number[]} range of its values, from the bottom to the top
   */
  function trace(context, n, f, range) {
    const { width, height } = context.canvas;
    context.beginPath();
    for (let i = 0; i < n; i++) context.lineTo(((i + 0.5) * width) / n, (1 - space.share(f(i), range)) * height);
    context.stroke();
  }
  /** @param {CanvasRenderingContext2D} context @param {number} y @param {number[]} range */
  function traceLevel(context, y, range) {
    context.globalAlpha = 0.4;
    context.beginPath();
    for (const x of [0, context.canvas.width]) context.lineTo(x, (1 - space.share(y, range)) * context.canvas.height);
    context.stroke();
    context.globalAlpha = 1;
  }

  return {
    /**
     * The curve of a neuron.
     * @param {CanvasRenderingContext2D} context
     * @param {number} n
     * @param {(i: number) => number} f its output at a point, from -1 to 1
     * @param {number} lineWidth
     */
    drawNeuron(context, n, f, lineWidth) {
      const range = [-1.15, 1.15];
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      context.strokeStyle = colours.drawn.ink;
      context.lineWidth = lineWidth / 2;
      traceLevel(context, 0, range);
      context.lineWidth = lineWidth;
      trace(context, n, f, range);
    },
    /**
     * The curve of the output: the output itself, the probability of the second class, or those of all classes.
     * @param {CanvasRenderingContext2D} context
     * @param {number} n
     * @param {(i: number, k: number) => number} output output k at point i
     * @param {number} unit the size of a pixel
     */
    drawOutput(context, n, output, unit) {
      const { ink, classes } = colours.drawn;
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      context.strokeStyle = ink;
      context.lineWidth = unit;
      for (const y of task === "binary" || task === "classes" ? [0, 1] : [0]) traceLevel(context, y, space.outputs);
      context.lineWidth = 2.2 * unit;
      for (let k = 0; k < (task === "classes" ? outputs : 1); k++) {
        if (task === "classes") context.strokeStyle = `rgb(${classes[k]})`;
        trace(context, n, (i) => {
          if (task === "binary") return 1 / (1 + Math.exp(-output(i, 0)));
          if (task !== "classes") return output(i, k);
          let sum = 0;
          for (let j = 0; j < outputs; j++) sum += Math.exp(output(i, j) - output(i, k));
          return 1 / sum;
        }, space.outputs);
      }
    },
  };
})();
