// @ts-check
// The elements and the events of the page.

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
/** @param {string} selector @returns {any[]} */
const all = (selector) => [...document.querySelectorAll(selector)];

/** Fill the places in braces of a text. @param {string} text @param {Record<string, string | number>} parts */
const fillPlaces = (text, parts) => text.replace(/\{(\w+)\}/g, (place, name) => String(parts[name] ?? place));

/** Call a function at events of the page, such as `play-data`. @param {string} names @param {() => void} handler */
function on(names, handler) {
  for (const name of names.split(" ")) document.addEventListener(name, handler);
}
/** @param {string} name of an event of the page */
const emit = (name) => document.dispatchEvent(new Event(name));

/**
 * Of the elements with a data attribute, show those that have one of some values.
 * @param {string} key such as "note" for `data-note`
 * @param {(string | undefined)[]} values
 */
function showOnly(key, ...values) {
  for (const element of all(`[data-${key}]`)) element.hidden = !values.includes(element.dataset[key]);
}

/**
 * A copy of a template, with numbers and names in the places in braces of its texts and attributes.
 * @param {string} id
 * @param {Record<string, string | number>} parts
 * @returns {any} its element
 */
function fromTemplate(id, parts) {
  const element = byId(id).content.firstElementChild.cloneNode(true);
  for (const each of [element, ...element.querySelectorAll("*")]) {
    for (const attribute of each.attributes) attribute.value = fillPlaces(attribute.value, parts);
    for (const node of each.childNodes) if (node.nodeType === Node.TEXT_NODE) node.data = fillPlaces(node.data, parts);
  }
  return element;
}
