// @ts-check
// The confusion matrix: how many examples of each class are taken for which class, in both parts.

{
  const { inputs, outputs, task } = training.data;
  const panel = byId("play-confusion");

  /** The class that the numbers of an output or of a target mean. @param {Float64Array} numbers @param {number} border */
  const classOf = (numbers, border) => (task === "classes" ? largest(numbers) : Number(numbers[0] > border));

  /** The numbers of examples, row by row: a row for each class, a column for each prediction. @param {Part} part */
  function count(part) {
    const n = dataset.names.classes.length;
    const counts = new Int32Array(n * n);
    training.evaluate(part);
    for (let i = 0; i < part.n; i++) {
      const output = training.results + i * (1 + outputs) + 1;
      const target = part.place + i * training.width + inputs;
      const row = classOf(training.floats.subarray(target, target + outputs), task === "binary" ? 0.5 : 0);
      counts[row * n + classOf(training.floats.subarray(output, output + outputs), 0)] += 1;
    }
    return counts;
  }

  /** The cells of the tables by their parts. @type {Record<string, HTMLElement[]>} */
  let cells = {};

  function build() {
    const { classes } = dataset.names;
    for (const part of ["training", "test"]) {
      const body = panel.querySelector(`[data-part="${part}"] tbody`);
      const head = panel.querySelector(`[data-part="${part}"] thead tr`);
      head.replaceChildren(head.firstElementChild, ...classes.map((name, k) => fromTemplate("play-prediction", { name, k })));
      body.replaceChildren(...classes.map((actual, k) => {
        const row = fromTemplate("play-class", { name: actual, k });
        row.append(...classes.map((predicted) => fromTemplate("play-cell", { actual, predicted })));
        return row;
      }));
      cells[part] = [...body.querySelectorAll("td")];
    }
    colours.readMarks();
  }

  function draw() {
    if (!document.querySelector('#play-panels [value="confusion"]:checked')) return;
    const n = dataset.names.classes.length;
    for (const part of /** @type {const} */ (["training", "test"])) {
      const counts = count(part === "test" ? training.test : training.train);
      cells[part].forEach((cell, i) => {
        const row = i - (i % n);
        const total = counts.subarray(row, row + n).reduce((sum, x) => sum + x, 0);
        /** @type {Element} */ (cell.lastElementChild).textContent = String(counts[i]);
        cell.style.setProperty("--share", `${total > 0 ? Math.round((60 * counts[i]) / total) : 0}%`);
        cell.classList.toggle("right", i % n === row / n);
      });
    }
  }

  if (panel) {
    build();
    document.addEventListener("play-data", build);
    for (const name of ["play-data", "play-draw", "play-panel"]) document.addEventListener(name, draw);
  }
}
