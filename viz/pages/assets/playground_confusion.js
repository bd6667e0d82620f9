// @ts-check
// The confusion matrix: how many examples of each class are taken for which class, in both parts.

{
  const { inputs, outputs } = training.data;
  const panel = byId("play-confusion");

  /** The class of the numbers at a place of the memory. @param {number} place @param {number} [border] */
  const classAt = (place, border) => classOf(training.floats.subarray(place, place + outputs), border);

  /** The numbers of examples, row by row: a row for each class, a column for each prediction. @param {Part} part */
  function count(part) {
    const n = dataset.names.classes.length;
    const counts = new Int32Array(n * n);
    training.evaluate(part);
    for (let i = 0; i < part.n; i++) {
      const actual = classAt(part.place + i * training.width + inputs);
      counts[actual * n + classAt(training.results + i * (1 + outputs) + 1, 0)] += 1;
    }
    return counts;
  }

  function build() {
    const { classes } = dataset.names;
    for (const table of panel.querySelectorAll("table")) {
      const head = table.tHead.rows[0];
      head.replaceChildren(head.firstElementChild, ...classes.map((name, k) => fromTemplate("play-prediction", { name, k })));
      table.tBodies[0].replaceChildren(...classes.map((actual, k) => {
        const row = fromTemplate("play-class", { name: actual, k });
        row.append(...classes.map((predicted) => fromTemplate("play-cell", { actual, predicted })));
        return row;
      }));
    }
    colours.readMarks();
  }

  function draw() {
    if (!document.querySelector('#play-panels [value="confusion"]:checked')) return;
    const n = dataset.names.classes.length;
    for (const table of panel.querySelectorAll("table")) {
      const counts = count(table.dataset.part === "test" ? training.test : training.train);
      table.querySelectorAll("tbody td").forEach((/** @type {any} */ cell, /** @type {number} */ i) => {
        const row = i - (i % n);
        const total = counts.subarray(row, row + n).reduce((sum, x) => sum + x, 0);
        cell.lastElementChild.textContent = String(counts[i]);
        cell.style.setProperty("--share", `${total > 0 ? Math.round((60 * counts[i]) / total) : 0}%`);
        cell.classList.toggle("right", i % n === row / n);
      });
    }
  }

  if (!hasClasses) {
    panel.remove();
    document.querySelector('#play-panels [value="confusion"]')?.closest("label")?.remove();
  } else {
    build();
    on("play-data", build);
    on("play-data play-draw play-panel", draw);
  }
}
