// @ts-check
// The quiz of a network: right answers and classic mistakes about deltas and weights.

{
  /** The delta of the neuron whose output is node z. @param {Moment} moment @param {number} z */
  const delta = (moment, z) => moment.grad[z] * SLOTS.slope(moment, z);
  /** How far the update moves a weight. @param {Moment} moment @param {number} w */
  const change = (moment, w) => moment.numbers.rate * moment.grad[w];

  RIGHT.delta = delta;
  RIGHT.error = (moment, z) => 0 - moment.grad[z];
  RIGHT.weight = (moment, w) => moment.data[w];

  MISTAKES.slope = (moment, z) => [moment.grad[z]];
  MISTAKES.slopeValue = (moment, z) => [moment.grad[z] * moment.data[z]];
  MISTAKES.output = (moment, z) => [SLOTS.slope(moment, z)];
  MISTAKES.gradient = (moment, z) => [moment.grad[z]];
  MISTAKES.ownSlope = (moment, z) => [-delta(moment, z)];
  MISTAKES.direction = (moment, w) => [moment.old[w] + change(moment, w)];
  MISTAKES.rate = (moment, w) => [moment.old[w] - moment.grad[w], moment.old[w] + moment.grad[w]];
  MISTAKES.change = (moment, w) => [-change(moment, w), change(moment, w)];
  MISTAKES.old = (moment, w) => [moment.old[w]];
}
