// @ts-check
// WebAssembly: instructions, and functions as the bytes of a module (WebAssembly Core Specification 1.0, chapter 5).

/**
 * @typedef {(number | string)[]} Code bytes, and the names of functions that are called
 *
 * @typedef {object} WasmFunction
 * @property {number[]} parameters the types of the parameters
 * @property {number[]} results the types of the results
 * @property {number} integers the number of integer variables, which come after the parameters
 * @property {number} floats the number of float variables, which come after those
 * @property {Code} code
 * @property {boolean} isExported
 */

const wasm = (() => {
  const [INTEGER, FLOAT] = [0x7f, 0x7c];
  const [ADD, MULTIPLY, GREATER, SELECT, ADD_INTEGERS, MULTIPLY_INTEGERS] = [0xa0, 0xa2, 0x64, 0x1b, 0x6a, 0x6c];
  const [EMPTY_BLOCK, BLOCK, LOOP, END, BRANCH_IF, IS_ZERO] = [0x40, 0x02, 0x03, 0x0b, 0x0d, 0x45];

  /** A number of 0 or more in LEB128, seven bits per byte. @param {number} n */
  function unsigned(n) {
    const bytes = [];
    for (; n > 0x7f; n >>>= 7) bytes.push((n & 0x7f) | 0x80);
    return [...bytes, n];
  }
  /** @param {number} n */
  function integer(n) {
    const bytes = [];
    for (; n < -0x40 || n >= 0x40; n >>= 7) bytes.push((n & 0x7f) | 0x80);
    return [0x41, ...bytes, n & 0x7f];
  }
  /** @param {number} x */
  const constant = (x) => [0x44, ...new Uint8Array(new Float64Array([x]).buffer)];
  /** @param {number} local */
  const get = (local) => [0x20, ...unsigned(local)];
  /** @param {number} local */
  const put = (local) => [0x21, ...unsigned(local)];
  /** Read the float some bytes after the address on the stack. @param {number} offset */
  const load = (offset) => [0x2b, 3, ...unsigned(offset)];
  const loadInteger = [0x28, 2, 0];
  /** Write the float on the stack some bytes after the address below it. @param {number} offset */
  const store = (offset) => [0x39, 3, ...unsigned(offset)];
  /**
   * A loop that counts a local variable down to 0.
   * @param {number} n
   * @param {Code} body
   * @returns {Code}
   */
  const loop = (n, body) => [
    BLOCK, EMPTY_BLOCK, ...get(n), IS_ZERO, BRANCH_IF, 0, LOOP, EMPTY_BLOCK, ...body,
    ...get(n), ...integer(-1), ADD_INTEGERS, ...put(n), ...get(n), BRANCH_IF, 0, END, END,
  ];

  /** @param {number[][]} items */
  const vector = (items) => [...unsigned(items.length), ...items.flat()];
  /** @param {number[]} bytes */
  const sized = (bytes) => [...unsigned(bytes.length), ...bytes];
  /** @param {string} text */
  const name = (text) => sized([...new TextEncoder().encode(text)]);

  /**
   * A module that imports its memory, `env.memory`, and functions of `math`.
   * @param {Record<string, WasmFunction>} functions
   * @param {(name: string) => number} arity that of a function of `math`
   */
  function encode(functions, arity) {
    const calls = Object.values(functions).flatMap(({ code }) => code.filter((part) => typeof part === "string"));
    const imports = [...new Set(calls)].filter((call) => !(call in functions));
    const numbers = new Map([...imports, ...Object.keys(functions)].map((call, i) => [call, i]));
    const number = (/** @type {string} */ call) => unsigned(/** @type {number} */ (numbers.get(call)));
    const types = [
      ...imports.map((call) => ({ parameters: Array.from({ length: arity(call) }, () => FLOAT), results: [FLOAT] })),
      ...Object.values(functions),
    ];
    const body = (/** @type {WasmFunction} */ { integers, floats, code }) => {
      const bytes = code.flatMap((part) => (typeof part === "number" ? part : [0x10, ...number(part)]));
      return sized([...vector([[...unsigned(integers), INTEGER], [...unsigned(floats), FLOAT]]), ...bytes, END]);
    };
    const sections = {
      1: vector(types.map(({ parameters, results }) => [0x60, ...sized(parameters), ...sized(results)])),
      2: vector([
        [...name("env"), ...name("memory"), 2, 0, 1],
        ...imports.map((call, i) => [...name("math"), ...name(call), 0, ...unsigned(i)]),
      ]),
      3: vector(Object.keys(functions).map((_, i) => unsigned(imports.length + i))),
      7: vector(Object.entries(functions).filter(([, { isExported }]) => isExported)
        .map(([call]) => [...name(call), 0, ...number(call)])),
      10: vector(Object.values(functions).map(body)),
    };
    const bytes = Object.entries(sections).flatMap(([id, section]) => [Number(id), ...sized(section)]);
    return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes]);
  }

  return {
    INTEGER, FLOAT, ADD, MULTIPLY, GREATER, SELECT, ADD_INTEGERS, MULTIPLY_INTEGERS,
    integer, constant, get, put, load, loadInteger, store, loop, encode,
  };
})();
