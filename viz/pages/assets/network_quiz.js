// @ts-check
// The quiz of a network: right answers and classic mistakes about deltas and weights.

{
  /** The slope of the activation whose output is node z. @param {Moment} moment @param {number} z */
  const slopeOf = (moment, z) => moment.tape.localDerivatives(z, moment.data, moment.tape.rows[moment.rules[z]])[0][1];
  /** @param {Moment} moment @param {number} z */
  const delta = (moment, z) => moment.grad[z] * slopeOf(moment, z);
  /** How far the update moves a weight. @param {Moment} moment @param {number} w */
  const change = (moment, w) => moment.numbers.rate * moment.grad[w];
  /** A weight before the update. @param {Moment} moment @param {number} w */
  const old = (moment, w) => SLOTS.old(moment, w);

  RIGHT.delta = delta;
  RIGHT.error = (moment, z) => 0 - moment.grad[z];
  RIGHT.weight = (moment, w) => moment.data[w];

  MISTAKES.slope = (moment, z) => [moment.grad[z]];
  MISTAKES.slopeValue = (moment, z) => [moment.grad[z] * moment.data[z]];
  MISTAKES.output = (moment, z) => [slopeOf(moment, z)];
  MISTAKES.gradient = (moment, z) => [moment.grad[z]];
  MISTAKES.ownSlope = (moment, z) => [-delta(moment, z)];
  MISTAKES.direction = (moment, w) => [old(moment, w) + change(moment, w)];
  MISTAKES.rate = (moment, w) => [old(moment, w) - moment.grad[w], old(moment, w) + moment.grad[w]];
  MISTAKES.change = (moment, w) => [-change(moment, w), change(moment, w)];
  MISTAKES.old = (moment, w) => [old(moment, w)];
}
