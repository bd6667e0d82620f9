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

  /**
   * Fill the places of a text.
   * @param {string} text
   * @param {Record<string, string>} parts
   */
  const fill = (text, parts) => text.replace(/\{(\w+)\}/g, (_, name) => parts[name]);

  /** The model as Python writes it. @returns {string} */
  function model() {
    const { hasRecordedSizes, hidden, inputs, sizes } = shape;
    if (hasRecordedSizes) return save.models[hidden];
    return fill(save.stack, { inputs: String(inputs), sizes: sizes.slice(1).join(", "), hidden });
  }
  /** The arguments by which a model draws its weights. @param {WeightSource} source */
  const sourceOfWeights = ({ scheme, seed }) => `${scheme && `, init='${scheme}'`}, seed=${seed}`;

  const files = {
    "play-save-weights": () => {
      const parameters = Object.fromEntries(shape.names.map((/** @type {string} */ name, /** @type {number} */ i) => {
        return [name, training.weights[i]];
      }));
      download("model.json", `${JSON.stringify({ format: save.format, model: model(), parameters }, null, 2)}\n`);
    },
    "play-save-program": () => {
      const settings = Object.entries(training.settings[training.optimizer]).map(([name, x]) => [name, literal(x)]);
      const numbers = training.data.weights.map((w) => `    ${literal(w)},`).join("\n");
      download("training.py", fill(save.program, {
        note: training.isPlain ? save.notes.exact : save.notes.changed,
        data: training.data.train.map(example).join("\n"),
        model: shape.source ? model().replace(/\)$/, `${sourceOfWeights(shape.source)})`) : model(),
        weights: shape.source ? "" : fill(save.weights, { numbers }),
        optimizer: fill(save.optimizers[training.optimizer], Object.fromEntries(settings)),
        epochs: String(Math.max(1, training.epochs)),
        batch: String(training.batch),
        seed: String(training.data.seed),
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
  const noProgram = () => {
    byId("play-save-program").hidden = !save.program || !(training.optimizer in save.optimizers);
  };
  byId("play-save").addEventListener("toggle", noProgram);
  addEventListener("pointerdown", (event) => {
    if (!byId("play-save").contains(/** @type {Node} */ (event.target))) byId("play-save").open = false;
  });
  byId("play-save").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    byId("play-save").open = false;
    byId("play-save").querySelector("summary").focus();
  });
}
