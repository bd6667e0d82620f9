// @ts-check
// The card: what a node is, in symbols and in numbers, down to the leaves; for the node under the pointer or the focus.

{
  const card = part("card");
  /** @type {Element | null} */
  let node = null;

  /** @param {Element | null} [shown] */
  const showCard = (shown = node) => {
    node = shown;
    const i = node && nodeOfId.get(node.id);
    card.hidden = typeof i !== "number" || document.body.classList.contains("dragging");
    if (card.hidden || !node || typeof i !== "number") return;
    card.replaceChildren(fillTemplate(`node-${i}`, page.moment));
    const { known, reached, data, grad } = page.moment;
    const numbers = [];
    if (known[i] && !page.tape.nodes[i].constant) numbers.push(`data ${formatNumber(data[i])}`);
    if (reached[i]) numbers.push(`${page.data.options.derivative} ${formatNumber(grad[i])}`);
    if (numbers.length) card.firstChild.after(element("p", numbers.join(", ")));
    if (!known[i]) {
      for (const slot of card.querySelectorAll("[data-slot]")) slot.closest("math").setAttribute("hidden", "");
    }
    fitFormulas(card);
    for (const formula of card.querySelectorAll(".formula")) { // one that is too small to read is left out
      if (parseFloat(getComputedStyle(formula).fontSize) < 9) formula.remove();
    }
    const [area, box] = [stage.getBoundingClientRect(), node.getBoundingClientRect()];
    const left = (box.left + box.right) / 2 - area.left - card.offsetWidth / 2;
    const below = box.bottom - area.top + 10;
    const above = box.top - area.top - card.offsetHeight - 10;
    const top = below + card.offsetHeight <= area.height ? below : Math.max(0, above);
    card.style.left = `${clamp(left, 4, Math.max(4, area.width - card.offsetWidth - 4))}px`;
    card.style.top = `${top}px`;
  };

  for (const each of drawnNodes) {
    each.addEventListener("pointerenter", () => showCard(each));
    each.addEventListener("pointerleave", () => showCard(null));
  }
  // Not at the nodes: in SVG an element that listens to the focus can have it.
  stage.addEventListener("focusin", (/** @type {FocusEvent} */ { target }) => {
    const focused = /** @type {Element} */ (target).closest(".node:focus-visible");
    if (focused) showCard(focused);
  });
  stage.addEventListener("focusout", () => showCard(null));
  page.on("show", () => showCard());
  page.on("view", () => {
    if (!card.hidden) showCard();
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") showCard(null);
  });
}
