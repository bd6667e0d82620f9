// @ts-check
// The card: what a node is, in symbols and in numbers, down to the leaves; for the node under the pointer or the focus.

{
  const card = part("card");
  /** @type {Element | null} */
  let node = null;

  /** @param {Element | null} [shown] */
  const showCard = (shown = node) => {
    node = shown;
    const i = node ? nodeOfId.get(node.id) : undefined;
    card.hidden = i === undefined || document.body.classList.contains("dragging");
    if (card.hidden || !node) return;
    card.replaceChildren(fillTemplate(`node-${i}`, page.moment));
    const { known, reached, data, grad } = page.moment;
    const numbers = [];
    const isConstant = page.tape.nodes[i ?? 0].constant;
    if (known[i ?? 0] && !isConstant) numbers.push(`data ${formatNumber(data[i ?? 0])}`);
    if (reached[i ?? 0]) numbers.push(`${page.data.options.derivative ?? "grad"} ${formatNumber(grad[i ?? 0])}`);
    if (numbers.length) card.firstChild.after(element("p", numbers.join(", ")));
    if (!known[i ?? 0]) {
      for (const slot of card.querySelectorAll("[data-slot]")) slot.closest("math").setAttribute("hidden", "");
    }
    fitCard();
    const area = stage.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    const left = (box.left + box.right) / 2 - area.left - card.offsetWidth / 2;
    const below = box.bottom - area.top + 10;
    const above = box.top - area.top - card.offsetHeight - 10;
    const top = below + card.offsetHeight <= area.height ? below : Math.max(0, above);
    card.style.left = `${clamp(left, 4, Math.max(4, area.width - card.offsetWidth - 4))}px`;
    card.style.top = `${top}px`;
  };

  /** Write each formula in the largest type in which it fits; one that fits in none is left out. */
  const fitCard = () => {
    const largest = clamp(innerWidth / 75, 15, 22);
    card.style.fontSize = `${largest}px`;
    for (const formula of card.querySelectorAll(".formula")) {
      const size = largestFit(9, largest, (size) => {
        formula.style.fontSize = `${size}px`;
        return formula.scrollWidth <= formula.clientWidth;
      });
      if (size) formula.style.fontSize = `${size}px`;
      else formula.remove();
    }
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
