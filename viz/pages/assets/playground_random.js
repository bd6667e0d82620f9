// @ts-check
// The random numbers of Python, so that a seed gives the same weights and the same batches as there.

/** The generator of Python's `random.Random(seed)`: the Mersenne Twister (Matsumoto and Nishimura 1998). */
class Random {
  /** @param {number} seed an integer */
  constructor(seed) {
    const size = Math.abs(Math.trunc(seed));
    const key = size > 0xffffffff ? [size % 2 ** 32, Math.floor(size / 2 ** 32)] : [size];
    this.words = new Uint32Array(624);
    const { words } = this;
    words[0] = 19650218;
    for (let i = 1; i < 624; i++) words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i;
    let i = 1;
    /** @param {number} times @param {number} factor @param {(k: number) => number} term */
    const mix = (times, factor, term) => {
      for (let k = 0; k < times; k++) {
        words[i] = (Math.imul(words[i - 1] ^ (words[i - 1] >>> 30), factor) ^ words[i]) + term(k);
        i += 1;
        if (i < 624) continue;
        words[0] = words[623];
        i = 1;
      }
    };
    mix(624, 1664525, (k) => key[k % key.length] + (k % key.length));
    mix(623, 1566083941, () => -i);
    words[0] = 0x80000000;
    this.place = 624;
    /** The second of two normal numbers. @type {number | null} */
    this.spare = null;
  }

  /** The next integer of 32 bits. */
  word() {
    const { words } = this;
    if (this.place === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (words[i] & 0x80000000) | (words[(i + 1) % 624] & 0x7fffffff);
        words[i] = words[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.place = 0;
    }
    let y = words[this.place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A number in [0, 1). */
  random() {
    const high = this.word() >>> 5;
    return (high * 67108864 + (this.word() >>> 6)) / 9007199254740992;
  }

  /** A number between -bound and bound. @param {number} bound */
  uniform(bound) {
    return -bound + 2 * bound * this.random();
  }

  /**
   * A number of the normal distribution with mean 0.
   * @param {number} deviation
   */
  gauss(deviation) {
    const z = this.spare;
    this.spare = null;
    if (z !== null) return z * deviation;
    const angle = this.random() * 2 * Math.PI;
    const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
    this.spare = Math.sin(angle) * radius;
    return Math.cos(angle) * radius * deviation;
  }

  /**
   * Put a list into random order.
   * @param {Int32Array} list
   */
  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const shift = Math.clz32(i + 1);
      let j = this.word() >>> shift;
      while (j > i) j = this.word() >>> shift;
      [list[i], list[j]] = [list[j], list[i]];
    }
  }
}

/**
 * The schemes of `nn.SCHEMES`: the weights w0, w1, ... of a neuron.
 * @type {Record<string, (rng: Random, inputs: number, outputs: number) => number[]>}
 */
const SCHEMES = {
  "uniform_0.01": (rng, inputs) => Array.from({ length: inputs + 1 }, () => rng.uniform(0.01)),
  micrograd: (rng, inputs) => [0, ...Array.from({ length: inputs }, () => rng.uniform(1))],
  xavier: (rng, inputs, outputs) => [0, ...Array.from({ length: inputs }, () => rng.uniform(Math.sqrt(6 / (inputs + outputs))))],
  he: (rng, inputs) => [0, ...Array.from({ length: inputs }, () => rng.gauss(Math.sqrt(2 / inputs)))],
};
