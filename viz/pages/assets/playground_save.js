// @ts-check
// The weights, the program and the curves as files.

/** @param {string} name @param {string | Blob} content */
function download(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: typeof content === "string" ? "text/plain" : content.type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

{
  const { save } = data;

  /** A number as Python writes it. @param {number} x */
  const literal = (x) => (Number.isInteger(x) && Math.abs(x) < 1e21 ? `${Object.is(x, -0) ? "-0" : x}.0` : String(x));
  /** @param {Iterable<number>} numbers */
  const list = (numbers) => `[${Array.from(numbers, literal).join(", ")}]`;

  /** An example as Python writes it. @param {number[]} row */
  function example(row) {
    const { inputs, task } = training.data;
    const target = row.slice(inputs);
    const isClass = task === "classes" && target.every((x) => x === 0 || x === 1) && target.includes(1);
    const r = isClass ? String(target.indexOf(1)) : target.length === 1 ? literal(target[0]) : list(target);
    return `    (${list(row.slice(0, inputs))}, ${r}),`;
  }

  /** The model as Python writes it. @returns {string} */
  function model() {
    const { hasRecordedSizes, hidden, inputs, sizes } = shape;
    if (hasRecordedSizes) return save.models[hidden];
    return fillPlaces(save.stack, { inputs, sizes: sizes.slice(1).join(", "), hidden });
  }
  /** The arguments by which a model draws its weights. @param {WeightSource} source */
  const sourceOfWeights = ({ scheme, seed }) => `${scheme && `, init='${scheme}'`}, seed=${seed}`;

  const files = {
    "play-save-weights": () => {
      const parameters = Object.fromEntries(shape.names.map((name, i) => [name, training.weights[i]]));
      download("model.json", `${JSON.stringify({ format: save.format, model: model(), parameters }, null, 2)}\n`);
    },
    "play-save-program": () => {
      const settings = Object.entries(training.settings[training.optimizer]).map(([name, x]) => [name, literal(x)]);
      const numbers = training.data.weights.map((w) => `    ${literal(w)},`).join("\n");
      const epochs = Math.max(1, training.epochs);
      const isWhole = training.epochs > 0 && training.position === 0;
      const kind = !training.isPlain ? "changed" : isWhole ? "exact" : "whole";
      download("training.py", fillPlaces(save.program, {
        note: fillPlaces(save.notes[kind], { epochs, step: training.time }),
        data: training.data.train.map(example).join("\n"),
        model: shape.source ? model().replace(/\)$/, `${sourceOfWeights(shape.source)})`) : model(),
        weights: shape.source ? "" : fillPlaces(save.weights, { numbers }),
        optimizer: fillPlaces(save.optimizers[training.optimizer], Object.fromEntries(settings)),
        epochs,
        batch: training.batch,
        seed: training.data.seed,
      }));
    },
    "play-save-curves": () => {
      const rows = shown.curve.filter(({ epoch }) => Number.isInteger(epoch)).map(({ epoch, training: a, test: b }) => {
        return [epoch, a.loss, b.loss, a.accuracy, b.accuracy].map((x) => x ?? "").join(",");
      });
      download("curves.csv", `${[save.columns.join(","), ...rows].join("\n")}\n`);
    },
  };
  for (const [id, file] of Object.entries(files)) byId(id).addEventListener("click", file);
  const menu = byId("play-save");
  menu.addEventListener("toggle", () => {
    byId("play-save-program").hidden = !save.program || !(training.optimizer in save.optimizers);
  });
  addEventListener("pointerdown", (event) => {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
