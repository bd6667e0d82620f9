// @ts-check
// The state of the playground: its data, its training, and what is shown.

/**
 * @typedef {{element: HTMLElement, canvas: HTMLCanvasElement, a: number, z: number, layer: number}} DrawnUnit
 *   a neuron, and the places of its weighted sum and of its output in what `show` writes
 * @typedef {{epoch: number, time: number, training: Scores, test: Scores}} Recorded
 *   the scores after some epochs, where a part of an epoch counts, and the number of steps until then
 * @typedef {{loss: number | null, accuracy: number | null}} Scores
 */

const data = JSON.parse(byId("page-data").textContent);
const shape = new Shape(data.shape);
const training = new Training(data.training, shape);
/** What is shown: the scores after every epoch, and the enlarged neuron, null for the output of the network. */
const shown = { curve: /** @type {Recorded[]} */ ([]), selected: /** @type {DrawnUnit | null} */ (null) };
