// @ts-check
// The examples in the plane, and what happens when they are edited.

const points = (() => {
  const { inputs, task, train, test } = training.data;
  const { axes, held, ranges, targetRange } = space;
  const { drawn, marks, mixed } = colours;
  const [lowest, highest] = targetRange;

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} size
   * @param {number} unit
   */
  function draw(context, size, unit) {
    const paths = marks.map((mark) => new Path2D(mark));
    const scale = unit * (train.length > 300 ? 0.65 : train.length < 20 ? 1.5 : 0.9);
    const isOutside = inputs > 2;
    for (const [rows, isTest] of /** @type {[number[][], boolean][]} */ ([[train, false], [test, true]])) {
      for (const row of rows) {
        const [x, y] = axes.map((axis) => (row[axis] - ranges[axis][0]) / (ranges[axis][1] - ranges[axis][0]));
        const mark = markOf(row);
        context.setTransform(scale, 0, 0, scale, x * size, (inputs > 1 ? 1 - y : 0.5) * size);
        context.globalAlpha = isOutside ? 0.8 : 1;
        context.lineWidth = 1.1;
        context.fillStyle = isTest ? drawn.paper : mark.colour;
        context.strokeStyle = isTest ? mark.colour : drawn.paper;
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
      return { shape: 0, colour: `rgb(${mixed(drawn.classes[0], drawn.classes[1], t)})` };
    }
    const k = task === "classes" ? largest(target) : Number(target[0] > (task === "binary" ? 0.5 : 0));
    return { shape: k, colour: `rgb(${drawn.classes[k]})` };
  }

  const examples = editExamples({
    canvas: byId("play-canvas"), axes, held, ranges, draw: () => planes.drawPlane(),
    changed: () => {
      shown.curve[shown.curve.length - 1] = curves.scores();
      byId("play-batch-size").max = String(train.length);
      byId("play-count").textContent = String(train.length);
      planes.drawPlane();
      curves.draw();
    },
  });

  return { cursor: examples.cursor, draw };
})();
