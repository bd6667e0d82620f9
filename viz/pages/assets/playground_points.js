// @ts-check
// The examples in the plane, and what happens when they are edited.

const points = (() => {
  const { inputs, task, train, test } = training.data;
  const { drawn, marks, mixed } = colours;

  const paths = marks.map((mark) => new Path2D(mark));
  const layer = document.createElement("canvas");
  let drawnAs = "";

  /**
   * Draw the examples, which seldom change, from a picture of their own.
   * @param {CanvasRenderingContext2D} context
   * @param {number} size
   * @param {number} unit
   */
  function draw(context, size, unit) {
    const key = JSON.stringify([dataset.version, size, space.axes, drawn.paper]);
    if (key !== drawnAs) {
      drawnAs = key;
      layer.width = layer.height = size; // which clears it
      drawAll(/** @type {CanvasRenderingContext2D} */ (layer.getContext("2d")), size, unit);
    }
    context.drawImage(layer, 0, 0);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} size
   * @param {number} unit
   */
  function drawAll(context, size, unit) {
    const scale = unit * (train.length > 300 ? 0.65 : train.length < 20 ? 1.5 : 0.9);
    const isOutside = inputs > 2;
    for (const [rows, isTest] of /** @type {[number[][], boolean][]} */ ([[train, false], [test, true]])) {
      for (const row of rows) {
        const [x, y] = space.place(row);
        const mark = markOf(row);
        context.setTransform(scale, 0, 0, scale, x * size, (1 - y) * size);
        context.globalAlpha = isOutside ? 0.8 : 1;
        context.lineWidth = 1.1;
        context.fillStyle = isTest ? drawn.paper : mark.colour;
        context.strokeStyle = isTest ? mark.colour : drawn.paper;
        if (isTest) context.lineWidth = 1.8;
        context.fill(paths[mark.shape]);
        context.stroke(paths[mark.shape]);
      }
    }
  }

  /** The shape and the colour of an example. @param {number[]} row */
  function markOf(row) {
    const target = row.slice(inputs);
    if (task === "number") {
      const [lowest, highest] = space.targetRange;
      const t = highest > lowest ? (target[0] - lowest) / (highest - lowest) : 0.5;
      return { shape: 0, colour: `rgb(${mixed(drawn.classes[0], drawn.classes[1], t)})` };
    }
    const k = classOf(target);
    return { shape: k, colour: `rgb(${drawn.classes[k]})` };
  }

  on("play-data", () => {
    if (!training.history.isReplaying) curves.record();
    curves.draw();
  });

  return { cursor: editExamples(byId("play-canvas"), () => planes.drawPlane()).cursor, draw };
})();
