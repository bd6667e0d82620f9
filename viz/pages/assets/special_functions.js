// @ts-check
// Functions of Python that JavaScript lacks. They are summed with twice the digits of a number, so that only the last
// rounding shows. A page has this file only if one of its rows calls one of them.

{
  /** @typedef {[number, number]} Twofold The unevaluated sum of two numbers: some 32 digits. */

  /** @type {(a: number, b: number) => Twofold} */
  const exactSum = (a, b) => {
    const sum = a + b;
    const part = sum - a;
    return [sum, a - (sum - part) + (b - part)];
  };
  /** @type {(a: Twofold, b: Twofold) => Twofold} */
  const plus = ([a, a2], [b, b2]) => {
    const [sum, rest] = exactSum(a, b);
    return exactSum(sum, rest + a2 + b2);
  };
  /** @type {(a: Twofold, b: Twofold) => Twofold} */
  const times = ([a, a2], [b, b2]) => {
    const [product, rest] = exactProduct(a, b);
    return exactSum(product, rest + a * b2 + a2 * b);
  };
  /** @type {(a: Twofold, b: Twofold) => Twofold} */
  const over = (a, b) => {
    const quotient = a[0] / b[0];
    const [rest, rest2] = plus(a, times([-quotient, 0], b));
    return exactSum(quotient, (rest + rest2) / b[0]);
  };
  /** @type {(x: number) => Twofold} */
  const twofold = (x) => [x, 0];

  const ROOT_OF_PI = /** @type {Twofold} */ ([1.772453850905516, -7.666586499825799e-17]);
  const LOG_2 = /** @type {Twofold} */ ([0.6931471805599453, 2.3190468138462996e-17]);
  const LOG_OF_ROOT_OF_2PI = /** @type {Twofold} */ ([0.9189385332046728, -3.878294158067242e-17]);

  /**
   * e to the power x, as a factor and a power of 2: the series for x/256 after multiples of log 2, squared 8 times.
   * @type {(x: Twofold) => [Twofold, number]}
   */
  const exponential = (x) => {
    const k = Math.round(x[0] / LOG_2[0]);
    const [r, r2] = plus(x, times(twofold(-k), LOG_2));
    const small = /** @type {Twofold} */ ([r / 256, r2 / 256]);
    let [term, sum] = [twofold(1), twofold(1)];
    for (let n = 1; n < 16; n++) {
      term = over(times(term, small), twofold(n));
      sum = plus(sum, term);
    }
    for (let i = 0; i < 8; i++) sum = times(sum, sum);
    return [sum, k];
  };

  /** @type {([factor, k]: [Twofold, number]) => number} */
  const scaled = ([[factor], k]) => factor * 2 ** Math.trunc(k / 2) * 2 ** (k - Math.trunc(k / 2));

  /**
   * The logarithm, by one step of Newton's method.
   * @type {(x: Twofold) => Twofold}
   */
  const logarithm = (x) => {
    const guess = Math.log(x[0]);
    const [[factor, factor2], k] = exponential(twofold(-guess));
    return plus(plus(twofold(guess), twofold(-1)), times(x, [factor * 2 ** k, factor2 * 2 ** k]));
  };

  /**
   * erf by its series, for |x| < 3 (Abramowitz and Stegun 7.1.5).
   * @type {(x: number) => Twofold}
   */
  const erfSeries = (x) => {
    const square = times(twofold(-x), twofold(x));
    let [term, sum] = [twofold(x), twofold(x)];
    for (let n = 1; Math.abs(term[0]) > 1e-34 * Math.abs(sum[0]) && n < 200; n++) {
      term = over(times(term, square), twofold(n));
      sum = plus(sum, over(term, twofold(2 * n + 1)));
    }
    return over(plus(sum, sum), ROOT_OF_PI);
  };

  /**
   * erfc by its continued fraction, for x >= 3 (Abramowitz and Stegun 7.1.14).
   * @type {(x: number) => number}
   */
  const erfcFraction = (x) => {
    let denominator = twofold(x);
    for (let n = 80; n > 0; n--) denominator = plus(twofold(x), over(twofold(n / 2), denominator));
    const [factor, k] = exponential(times(twofold(-x), twofold(x)));
    return scaled([over(factor, times(denominator, ROOT_OF_PI)), k]);
  };

  /** @type {(x: number) => number} */
  const erfc = (x) => {
    if (Math.abs(x) < 3) return plus(twofold(1), erfSeries(-x))[0];
    if (!(Math.abs(x) < 30)) return x > 0 ? 0 : x < 0 ? 2 : x;
    return x > 0 ? erfcFraction(x) : 2 - erfcFraction(-x);
  };
  /** @type {(x: number) => number} */
  const erf = (x) => (Math.abs(x) < 3 ? erfSeries(x)[0] : x > 0 ? 1 - erfc(x) : erfc(-x) - 1);

  // The numbers B(2n) / (2n (2n - 1)) of Stirling's series (Abramowitz and Stegun 6.1.40).
  const STIRLING = [
    [1, 12], [-1, 360], [1, 1260], [-1, 1680], [1, 1188], [-691, 360360], [1, 156], [-3617, 122400],
    [43867, 244188], [-174611, 125400], [77683, 5796], [-236364091, 1506960],
  ];

  /**
   * The logarithm of gamma for x > 0: Stirling's series at x + n >= 24, less the logarithm of x (x+1) ... (x+n-1).
   * @type {(x: Twofold) => Twofold}
   */
  const logGamma = (x) => {
    let [product, y] = [twofold(1), x];
    for (; y[0] < 24; y = plus(y, twofold(1))) product = times(product, y);
    let [sum, power] = [twofold(0), over(twofold(1), y)];
    const square = times(power, power);
    for (const [numerator, denominator] of STIRLING) {
      sum = plus(sum, times(power, over(twofold(numerator), twofold(denominator))));
      power = times(power, square);
    }
    const main = plus(times(plus(y, twofold(-0.5)), logarithm(y)), [-y[0], -y[1]]);
    const [less, less2] = product[0] === 1 ? twofold(0) : logarithm(product);
    return plus(plus(plus(main, LOG_OF_ROOT_OF_2PI), sum), [-less, -less2]);
  };

  /**
   * The sine of pi x, for the reflection formula.
   * @type {(x: number) => Twofold}
   */
  const sineOfPi = (x) => {
    const r = x - Math.round(x); // exact
    const angle = times(times(ROOT_OF_PI, ROOT_OF_PI), twofold(r));
    const square = times(angle, [-angle[0], -angle[1]]);
    let [term, sum] = [angle, angle];
    for (let n = 2; n < 34; n += 2) {
      term = over(times(term, square), twofold(n * (n + 1)));
      sum = plus(sum, term);
    }
    return Math.round(x) % 2 === 0 ? sum : [-sum[0], -sum[1]];
  };

  /** @type {(x: number) => number} */
  const gamma = (x) => {
    if (Number.isNaN(x) || x === Infinity) return x;
    if (x <= 0 && Number.isInteger(x)) return NaN; // a pole, which Python calls an error of the domain
    if (x === -Infinity) return NaN;
    if (Math.abs(x) < 1e-17) return 1 / x;
    if (x > 172) return Infinity;
    if (x < -200) return 0;
    if (x > 0) return scaled(exponential(logGamma(twofold(x))));
    const [factor, k] = exponential(logGamma(plus(twofold(1), twofold(-x))));
    const pi = times(ROOT_OF_PI, ROOT_OF_PI);
    const [inverse, k2] = [over(pi, times(factor, sineOfPi(x))), -k];
    return scaled([inverse, k2]);
  };

  /** @type {(x: number) => number} */
  const lgamma = (x) => {
    if (Number.isNaN(x) || Math.abs(x) === Infinity) return Math.abs(x);
    if (x <= 0 && Number.isInteger(x)) return NaN;
    if (Math.abs(x) < 1e-17) return -Math.log(Math.abs(x));
    if (x > 1e17) return x * (Math.log(x) - 1);
    if (x > 0) return logGamma(twofold(x))[0];
    const pi = times(ROOT_OF_PI, ROOT_OF_PI);
    const [sine, sine2] = sineOfPi(x);
    const absolute = /** @type {Twofold} */ (sine < 0 ? [-sine, -sine2] : [sine, sine2]);
    const [less, less2] = logGamma(plus(twofold(1), twofold(-x)));
    return plus(logarithm(over(pi, absolute)), [-less, -less2])[0];
  };

  Object.assign(math, {
    erf: checked(erf), erfc: checked(erfc), gamma: checked(gamma, "overflow"), lgamma: checked(lgamma, "overflow"),
  });
}
