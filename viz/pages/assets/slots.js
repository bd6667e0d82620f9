// @ts-check
// Slots: the places of numbers in words that Python wrote.

/**
 * The numbers of slots by the first word of the slot; the other words are arguments. Their first argument is what the
 * words are about, such as a Moment.
 * @type {Record<string, (moment: any, ...args: any[]) => number>}
 */
const SLOTS = {};
/** The default number of significant digits. */
let slotDigits = 6;

/**
 * @param {string} slot
 * @param {any} moment
 */
function numberOfSlot(slot, moment) {
  const [kind, ...args] = slot.split(" ");
  return SLOTS[kind](moment, ...args);
}

/**
 * Return the words of a template with the numbers of a moment.
 * @param {string} id
 * @param {any} moment
 * @returns {DocumentFragment}
 */
function fillTemplate(id, moment) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  const words = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  fill(words, moment);
  return words;
}

/**
 * Fill the slots of an element; they stay, so that they can be filled again.
 * @param {DocumentFragment | Element} words
 * @param {any} moment
 */
function fill(words, moment) {
  for (const element of words.querySelectorAll("[data-if]")) {
    element.toggleAttribute("hidden", numberOfSlot(element.getAttribute("data-if") ?? "", moment) === 0);
  }
  for (const element of words.querySelectorAll("[data-choose]")) {
    const sign = Math.sign(numberOfSlot(element.getAttribute("data-choose") ?? "", moment));
    [...element.children].forEach((child, i) => child.toggleAttribute("hidden", i !== sign + 1));
  }
  for (const element of words.querySelectorAll("[data-slot]")) {
    const slot = element.getAttribute("data-slot") ?? "";
    const x = numberOfSlot(slot, moment);
    const digits = Number(element.getAttribute("data-digits") ?? slotDigits);
    let text = slot.startsWith("count ") ? String(x) : formatNumber(x, digits);
    if (element.namespaceURI?.endsWith("MathML") || element.closest("table")) text = text.replaceAll("-", "\u2212");
    if (element.hasAttribute("data-bracketed") && x < 0) text = `(${text})`;
    if (element.textContent !== text) element.textContent = text;
  }
}
