// @ts-check
// The functions of Python that the rows of the table call. They raise an error exactly where Python does.

/** An operation has no value: `domain` for Python's ValueError, `zero` for its ZeroDivisionError, else `overflow`. */
class NoValue extends Error {
  /** @param {"domain" | "zero" | "overflow"} kind */
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

/**
 * Return a function whose result must be a number: as in Python, one that is not a number is an error of the domain,
 * and an infinite one at finite arguments is an overflow, or a pole if the function cannot overflow.
 * @param {(...numbers: number[]) => number} f
 * @param {"domain" | "overflow"} atInfinity
 * @returns {(...numbers: number[]) => number}
 */
function checked(f, atInfinity = "domain") {
  return (...numbers) => {
    const result = f(...numbers);
    if (Number.isFinite(result)) return result;
    if (Number.isNaN(result) && !numbers.some(Number.isNaN)) throw new NoValue("domain");
    if (!Number.isNaN(result) && numbers.every(Number.isFinite)) throw new NoValue(atInfinity);
    return result;
  };
}

/**
 * The product of two numbers as its rounded value and the error of that, exactly (Dekker 1971).
 * @param {number} a
 * @param {number} b
 * @returns {[number, number]}
 */
function exactProduct(a, b) {
  const split = (/** @type {number} */ x) => {
    const high = 134217729 * x - (134217729 * x - x); // 2**27 + 1
    return [high, x - high];
  };
  const [[a1, a2], [b1, b2], product] = [split(a), split(b), a * b];
  return [product, a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2)];
}

/**
 * @param {number} a
 * @param {number} b
 */
function power(a, b) {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1; // in JavaScript 1**Infinity is not a number
  if (a === 0 && b < 0 && b !== -Infinity) throw new NoValue("domain");
  return a ** b;
}

/**
 * The length of a vector; one correction of the root removes the errors of the squares.
 * @param {number} a
 * @param {number} b
 */
function hypotenuse(a, b) {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Math.hypot(a, b);
  const largest = Math.max(Math.abs(a), Math.abs(b));
  if (largest === 0) return 0;
  const scale = 2 ** Math.max(-1022, Math.min(1022, Math.floor(Math.log2(largest)))); // the squares cannot overflow
  const [x, y] = [a / scale, b / scale];
  const h = Math.sqrt(x * x + y * y);
  const [[hh, h2], [xx, x2], [yy, y2]] = [exactProduct(h, h), exactProduct(x, x), exactProduct(y, y)];
  const [large, small, smaller, smallest] = xx > yy ? [xx, yy, x2, y2] : [yy, xx, y2, x2];
  return (h - (hh - large - small + h2 - smaller - smallest) / (2 * h)) * scale;
}

/** Return a divisor. @param {number} b */
function nonzero(b) {
  if (b === 0) throw new NoValue("zero");
  return b;
}

/** @type {Record<string, (...numbers: number[]) => number>} */
const math = {
  abs: Math.abs,
  max: (a, b) => (b > a ? b : a),
  divide: (a, b) => a / nonzero(b),
  modulo: (a, b) => {
    const rest = a % nonzero(b); // it has the sign of a, in Python that of b
    if (rest === 0) return b < 0 ? -0 : 0;
    return rest < 0 === b < 0 ? rest : rest + b;
  },
  floorDivide: (a, b) => {
    const rest = a % nonzero(b);
    const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
    if (quotient === 0) return Object.is(a / b, -0) || a / b < 0 ? -0 : 0;
    return Math.floor(quotient) + (quotient - Math.floor(quotient) > 0.5 ? 1 : 0);
  },
  atan2: checked(Math.atan2),
  pow: checked(power, "overflow"),
  hypot: checked(hypotenuse, "overflow"),
};
for (const name of /** @type {const} */ (["exp", "expm1", "cosh", "sinh"])) {
  math[name] = checked(Math[name], "overflow");
}
for (const name of /** @type {const} */ ([
  "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "log", "log10", "log1p", "sin", "sqrt", "tan", "tanh",
])) {
  math[name] = checked(Math[name]);
}
