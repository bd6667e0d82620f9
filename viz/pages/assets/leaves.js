// @ts-check
// The table of the leaves: a live field for the number of each, and its gradient.

{
  /** @type {HTMLElement[]} */
  const rows = [...part("panel").querySelectorAll("[data-leaf]")];
  for (const row of rows) {
    const i = Number(row.dataset.leaf);
    const handles = [/** @type {Element} */ (row.querySelector(".handle")), ...document.querySelectorAll(`#page-stage [data-handle="${i}"]`)];
    numberField(/** @type {HTMLInputElement} */ (row.querySelector("input")), {
      get: () => page.state.numbers[i] ?? page.tape.nodes[i].data,
      set: (x, gesture) => page.change((state) => {
        if (x === page.tape.nodes[i].data) delete state.numbers[i];
        else state.numbers[i] = x;
      }, gesture),
      handles,
      digits: 6,
    });
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
