// @ts-check
/** @type {(x: number, low: number, high: number) => number} */
const clamp = (x, low, high) => Math.max(low, Math.min(high, x));
