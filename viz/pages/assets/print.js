// @ts-check
// Print: the page with one step, or a list of steps as a handout.

/** The step that is printed when the browser prints the page; null is the one that is shown. @type {number | null} */
let stepToPrint = page.last;

/**
 * Print articles after the drawing, in place of the words of a step.
 * @param {Element[]} articles
 * @param {number} [step] the step of the drawing
 */
function printArticles(articles, step = page.last) {
  part("menu").hidePopover?.();
  part("print").replaceChildren(...articles);
  document.body.classList.add("articles");
  const before = stepToPrint;
  stepToPrint = step;
  addEventListener("afterprint", () => {
    stepToPrint = before;
    part("print").replaceChildren();
    document.body.classList.remove("articles");
  }, { once: true });
  print();
}

{
  COMMANDS.handout = () => (
    printArticles(page.steps.map((_, k) => element("article", fillTemplate(`step-${k}`, page.momentAt(k)))))
  );

  let before = 0;
  addEventListener("beforeprint", () => {
    before = page.state.step;
    if (stepToPrint !== null) page.show(stepToPrint, { instantly: true });
  });
  addEventListener("afterprint", () => page.show(before, { instantly: true }));
}
