// @ts-check
// A table of the user: pasted or from a file, checked line by line. Its texts never become markup.

{
  const { inputs } = training.data;
  const MAX_CHARACTERS = 2_000_000; // above it the text area becomes slow
  const dialog = byId("play-table");
  const text = byId("play-table-text");
  const targets = training.width - inputs;

  /** The error of a table: the name of its sentence, and the texts for the places in it. */
  class TableError extends Error {
    /** @param {string} name @param {Record<string, unknown>} places */
    constructor(name, places) {
      super(name);
      this.places = places;
    }
  }

  /** @typedef {{line: number, cells: string[]}} Line the number of a line in the text, and its cells */

  /**
   * The lines that are not empty; a cell in quotes can contain separators and line breaks.
   * @param {string} table
   * @param {string} separator
   */
  function splitLines(table, separator) {
    const cell = new RegExp(` *(?:"((?:[^"]|"")*)" *|([^${separator}\\n]*))(${separator}|\\n|$)`, "gy");
    /** @type {Line[]} */
    const lines = [{ line: 1, cells: [] }];
    for (const [match, quoted, plain, end] of table.matchAll(cell)) {
      const last = lines[lines.length - 1];
      const text = (quoted?.replaceAll('""', '"') ?? plain).trim();
      last.cells.push(separator === "," ? text : text.replace(/^([+-]?\d*),(\d+)$/, "$1.$2")); // a decimal comma
      if (end === "") break;
      if (end === "\n") lines.push({ line: last.line + match.split("\n").length - 1, cells: [] });
    }
    return lines.filter(({ cells }) => cells.some((text) => text !== ""));
  }

  /**
   * The lines by the separator that gives most of them the right number of columns, else by the one that gives most cells.
   * @param {string} table
   * @param {number} columns
   */
  function readLines(table, columns) {
    const text = table.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
    const candidates = ["\t", ";", ","].map((separator) => splitLines(text, separator));
    const fits = (/** @type {Line[]} */ lines) => lines.filter(({ cells }) => cells.length === columns).length;
    const size = (/** @type {Line[]} */ lines) => lines.flatMap(({ cells }) => cells).length;
    return candidates.reduce((best, lines) => ((fits(lines) - fits(best) || size(lines) - size(best)) > 0 ? lines : best));
  }

  /** A cell as a finite number, or nan. @param {string} cell */
  const numberIn = (cell) => {
    const x = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : NaN;
    return Number.isFinite(x) ? x : NaN;
  };

  /** Numbers in increasing order, then other texts in alphabetical order. @param {string} a @param {string} b */
  const compareClasses = (a, b) => {
    const [x, y] = [numberIn(a), numberIn(b)];
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return x - y || (a < b ? -1 : Number(a > b));
  };

  /**
   * Return the examples of a table and the names of its inputs and classes.
   * @param {string} table
   */
  function readTable(table) {
    const columns = inputs + (hasClasses ? 1 : targets);
    const lines = readLines(table, columns);
    const isHeader = lines.length > 0 && lines[0].cells.every((cell) => Number.isNaN(numberIn(cell)))
      && (lines.length === 1 || lines[0].cells.length === columns)
      && !(hasClasses && lines.some(({ cells }, i) => i > 0 && cells[inputs] === lines[0].cells[inputs]));
    const header = isHeader ? /** @type {Line} */ (lines.shift()).cells : [...data.inputs, "target"];
    if (lines.length < 2) throw new TableError("few", { rows: lines.length });
    if (lines.length > dataset.MAX_EXAMPLES) throw new TableError("many", { most: dataset.MAX_EXAMPLES, rows: lines.length });
    const known = hasClasses ? dataset.names.classes : [];
    const found = new Set(/** @type {string[]} */ ([]));
    const rows = lines.map(({ line, cells }) => {
      if (cells.length !== columns) throw new TableError("columns", { line, columns, cells: cells.length, inputs });
      return cells.map((cell, k) => {
        const place = { line, column: k + 1, name: header[k] ?? "target", cell: `"${cell.slice(0, 40)}"` };
        if (hasClasses && k === inputs) {
          if (cell === "") throw new TableError("empty", place);
          found.add(cell);
          if (found.size > known.length) throw new TableError("classes", { ...place, classes: known.length });
          return cell;
        }
        if (Number.isNaN(numberIn(cell))) throw new TableError("number", place);
        return numberIn(cell);
      });
    });
    const areKnown = [...found].every((name) => known.includes(name));
    const others = known.filter((name) => !found.has(name));
    const classes = areKnown ? known : [...[...found].sort(compareClasses), ...others].slice(0, known.length);
    const numbers = rows.map((row) => {
      if (!hasClasses) return /** @type {number[]} */ (row);
      return [.../** @type {number[]} */ (row.slice(0, inputs)), ...targetOf(classes.indexOf(String(row[inputs])))];
    });
    return { rows: numbers, inputs: header.slice(0, inputs), classes };
  }

  /** Give every input mean 0 and standard deviation 1. @param {number[][]} rows */
  function standardize(rows) {
    for (let k = 0; k < inputs; k++) {
      const largest = rows.reduce((most, row) => Math.max(most, Math.abs(row[k])), 0);
      const scale = largest > 0 ? 2 ** Math.floor(Math.log2(largest)) : 1; // keeps the squares from overflow and underflow
      for (const row of rows) row[k] /= scale;
      const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length;
      const deviation = Math.sqrt(rows.reduce((sum, row) => sum + (row[k] - mean) ** 2, 0) / rows.length) || 1;
      for (const row of rows) row[k] = (row[k] - mean) / deviation;
    }
  }

  /** @param {TableError | null} error */
  function explain(error) {
    showOnly("error", error?.message ?? "none");
    for (const place of all("#play-table-error [data-place]")) place.textContent = String(error?.places[place.dataset.place]);
    text.setAttribute("aria-invalid", String(error !== null));
  }

  function use() {
    try {
      const table = readTable(text.value);
      if (byId("play-table-standardize").checked) standardize(table.rows);
      explain(null);
      dialog.close();
      progress.keep();
      dataset.replace(table.rows, table.inputs, table.classes);
      player.reset();
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      explain(error);
      text.focus();
    }
  }

  /** @param {string} table */
  function open(table) {
    player.pause();
    const isLong = table.length > MAX_CHARACTERS;
    text.value = isLong ? "" : table;
    explain(isLong ? new TableError("long", { most: MAX_CHARACTERS }) : null);
    if (!dialog.open) dialog.showModal();
  }

  byId("play-table-open").addEventListener("click", () => open(text.value));
  byId("play-table-use").addEventListener("click", use);
  byId("play-table-file").addEventListener("change", async (/** @type {any} */ event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) open(await file.slice(0, MAX_CHARACTERS + 1).text());
  });
  document.addEventListener("paste", (event) => {
    const target = /** @type {Element} */ (event.target);
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (target.closest("input, textarea, dialog") || !pasted.trim().includes("\n")) return;
    event.preventDefault();
    open(pasted);
  });

  function showNames() {
    for (const element of all("[data-class-name]")) element.textContent = dataset.names.classes[element.dataset.className];
    for (const element of all("[data-input-name]")) element.textContent = dataset.names.inputs[element.dataset.inputName];
    byId("play").classList.toggle("no-test", training.data.test.length === 0);
  }
  on("play-data play-shape", showNames);
  showNames();
}
