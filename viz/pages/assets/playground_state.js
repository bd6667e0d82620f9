// @ts-check
// The state of the playground: what is shown, and which inputs its planes have.

/**
 * @typedef {{element: HTMLElement, canvas: HTMLCanvasElement, a: number, z: number, layer: number, image: ImageData | null}} DrawnUnit
 *   a neuron, and the places of its weighted sum and of its output in what `show` writes
 * @typedef {{epoch: number, training: Scores, test: Scores}} Recorded
 * @typedef {{loss: number | null, accuracy: number | null}} Scores
 */

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
/** @param {string} selector @returns {any[]} */
const all = (selector) => [...document.querySelectorAll(selector)];

const data = JSON.parse(byId("page-data").textContent);
const shape = new Shape(data.shape);
const training = new Training(data.training, shape);
/** What is shown: the scores after every epoch, and the neuron in large, null for the answer of the network. */
const shown = { curve: /** @type {Recorded[]} */ ([]), selected: /** @type {DrawnUnit | null} */ (null) };

/** The plane: two inputs go from left to right and from bottom to top, the others are held. */
const space = (() => {
  const { inputs, train, test } = training.data;
  const column = (/** @type {number} */ i) => [...train, ...test].map((row) => row[i]);
  const ranges = Array.from({ length: inputs }, (_, i) => {
    const numbers = column(i);
    const low = numbers.reduce((x, y) => Math.min(x, y));
    const high = numbers.reduce((x, y) => Math.max(x, y));
    const margin = 0.12 * (high - low) || 1;
    return [low - margin, high + margin];
  });
  const held = ranges.map(([low, high], i) => {
    const mean = column(i).reduce((x, y) => x + y, 0) / column(i).length;
    return Math.abs(mean) < 1e-12 * (high - low) ? 0 : mean;
  });
  const axes = [0, Math.min(1, inputs - 1)];
  const targets = [...train, ...test].map((row) => row[inputs]);
  const targetRange = [targets.reduce((x, y) => Math.min(x, y)), targets.reduce((x, y) => Math.max(x, y))];

  /** A coordinate of a row or column of the plane. @param {number} axis @param {number} share from 0 to 1 */
  const coordinate = (axis, share) => ranges[axis][0] + share * (ranges[axis][1] - ranges[axis][0]);
  return { axes, held, ranges, targetRange, coordinate };
})();
