// @ts-check
// The table of the leaves: a live field for the number of each, and its gradient.

{
  /** @type {HTMLElement[]} */
  const rows = [...part("panel").querySelectorAll("[data-leaf]")];
  for (const row of rows) {
    const i = Number(row.dataset.leaf);
    const handles = [...row.querySelectorAll(".handle"), ...stage.querySelectorAll(`[data-handle="${i}"]`)];
    numberField(/** @type {HTMLInputElement} */ (row.querySelector("input")), i, 6, handles);
  }
  page.on("show", ({ moment }) => {
    for (const row of rows) {
      const i = Number(row.dataset.leaf);
      const output = /** @type {HTMLOutputElement} */ (row.querySelector("output"));
      const text = moment.reached[i] ? formatNumber(moment.grad[i]) : "";
      if (output.value !== text) output.value = text;
      row.classList.toggle("changed", i in page.state.numbers);
    }
  });
}
