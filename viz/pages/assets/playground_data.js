// @ts-check
// The examples: which ones train and which ones test, their noise, and changes by hand or by a table.

/**
 * @typedef {{row: number[], exact: number[], draw: number, isTest: boolean}} Example
 *   its numbers, those without noise, the number of its noise (-1 for none), and its part
 */

const dataset = (() => {
  const MAX_EXAMPLES = 10_000;
  const MAX_NOISE = 0.5;
  const { inputs, train, test, seed } = training.data; // another seed of the weights does not change split and noise
  const opening = [...train.map((row) => ({ row, isTest: false })), ...test.map((row) => ({ row, isTest: true }))]
    .map(({ row, isTest }, draw) => ({ exact: [...row], draw, isTest }));
  const openingShare = test.length / opening.length;
  /** All examples in their first order. @type {Example[]} */
  let pool = [];
  /** The same in the order in which they are trained. @type {Example[]} */
  let examples = [];
  let [share, noise] = [openingShare, 0];
  let isEdited = false;
  let version = 0;
  const names = { classes: /** @type {string[]} */ (data.classes), inputs: /** @type {string[]} */ (data.inputs) };

  /** The random numbers that move the inputs of an example. */
  const noiseOf = (() => {
    const rng = new Random(seed);
    /** @type {number[][]} */
    const drawn = [];
    return (/** @type {number} */ draw) => {
      while (drawn.length <= draw) drawn.push(Array.from({ length: inputs }, () => rng.gauss(1)));
      return drawn[draw];
    };
  })();

  /** @param {{exact: number[], draw: number, isTest: boolean}[]} list @param {number[][]} [limits] of the inputs */
  function take(list, limits = space.limitsOf(list.map(({ exact }) => exact))) {
    examples = list.map(({ exact, draw, isTest }) => ({ row: [...exact], exact: [...exact], draw, isTest }));
    pool = [...examples].sort((a, b) => (a.draw + 1 || Infinity) - (b.draw + 1 || Infinity));
    space.measure(pool.map(({ exact }) => exact), limits);
  }

  function addNoise() {
    for (const { row, exact, draw } of pool) {
      for (let i = 0; i < inputs; i++) {
        row[i] = exact[i] + (draw < 0 || noise === 0 ? 0 : noise * space.widths[i] * noiseOf(draw)[i]);
      }
    }
    space.fit(pool.map(({ row }) => row));
  }

  function fillParts() {
    train.length = 0;
    test.length = 0;
    for (const { row, isTest } of examples) (isTest ? test : train).push(row);
  }

  /** Pass the examples to the training. */
  function publish() {
    fillParts();
    version += 1;
    training.readExamples();
    document.dispatchEvent(new CustomEvent("play-data"));
  }

  /** Test with the first examples of the order of `random.Random(seed).shuffle`; without a test part, keep the order. */
  function split() {
    const order = Int32Array.from(pool, (_, i) => i);
    const n = Math.min(Math.round(share * pool.length), pool.length - 1);
    if (n > 0) new Random(seed).shuffle(order);
    examples = Array.from(order, (i) => pool[i]);
    examples.forEach((example, i) => (example.isTest = i < n));
  }

  function open() {
    take(opening);
    [share, noise, isEdited] = [openingShare, 0, false];
    [names.classes, names.inputs] = [data.classes, data.inputs];
  }

  /** Whether a value is a list of texts, as long as another list. @param {any} value @param {any[]} like */
  const isTexts = (value, like) => Array.isArray(value) && value.length === like.length && value.every((x) => typeof x === "string");
  /** A number within limits, or null. @param {any} x @param {number} low @param {number} high */
  const within = (x, low, high) => (typeof x === "number" && x >= low && x <= high ? x : null);
  /** @param {any} value */
  const isLimits = (value) => Array.isArray(value) && value.length === inputs
    && value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite) && pair[0] <= pair[1]);
  /** @param {any} value */
  const isRows = (value) => Array.isArray(value) && value.length > 0 && value.length <= MAX_EXAMPLES
    && value.every((row) => Array.isArray(row) && row.length === training.width + 2 && row.every(Number.isFinite)
      && Number.isInteger(row[0]) && row[0] >= -1 && row[0] < MAX_EXAMPLES && [0, 1].includes(row[1]))
    && value.some((row) => row[1] === 0);

  open();
  addNoise();
  fillParts();
  return {
    names,
    MAX_EXAMPLES,
    get version() { return version; },
    get share() { return share; },
    get noise() { return noise; },

    /** The state for a link or a checkpoint; undefined if it is still that of the opening. */
    save() {
      if (!isEdited && share === openingShare && noise === 0) return undefined;
      if (!isEdited) return { share, noise };
      return {
        share, noise, names: { ...names }, limits: space.limits,
        rows: examples.map(({ exact, draw, isTest }) => [draw, Number(isTest), ...exact]),
      };
    },
    /** Go back to what `save` returned. @param {any} value from a link, so it can be anything */
    restore(value) {
      open();
      noise = within(value?.noise, 0, MAX_NOISE) ?? 0;
      share = within(value?.share, 0, 1) ?? openingShare;
      if (isRows(value?.rows)) {
        isEdited = true;
        if (isTexts(value.names?.classes, data.classes)) names.classes = value.names.classes;
        if (isTexts(value.names?.inputs, data.inputs)) names.inputs = value.names.inputs;
        const limits = isLimits(value.limits) ? value.limits : undefined;
        take(value.rows.map((/** @type {number[]} */ [draw, isTest, ...exact]) => ({ exact, draw, isTest: isTest > 0 })), limits);
      } else if (share !== openingShare) {
        split();
      }
      addNoise();
      publish();
    },
    /** Test with a share of the examples; with the share of the opening, those of the opening. @param {number} x */
    split(x) {
      share = x;
      if (isEdited || x !== openingShare) {
        split();
      } else {
        examples = [...pool];
        examples.forEach((example, i) => (example.isTest = opening[i].isTest));
      }
      publish();
    },
    /** Move the inputs by normal noise. @param {number} x its standard deviation, as a share of the range of each input */
    setNoise(x) {
      noise = x;
      addNoise();
      publish();
    },
    /** Take other examples. @param {number[][]} rows @param {string[]} inputNames @param {string[]} classNames */
    replace(rows, inputNames, classNames) {
      isEdited = true;
      [names.inputs, names.classes] = [inputNames, classNames];
      take(rows.map((exact, draw) => ({ exact, draw, isTest: false })));
      split();
      addNoise();
      publish();
    },
    /** Add an example to train with. @param {number[]} row */
    add(row) {
      if (pool.length === MAX_EXAMPLES) return null;
      isEdited = true;
      const example = { row, exact: [...row], draw: -1, isTest: false };
      pool.push(example);
      examples.push(example);
      publish();
      return row;
    },
    /** Change numbers of an example. @param {number[]} row @param {Record<number, number>} numbers by their places */
    move(row, numbers) {
      isEdited = true;
      const { exact } = /** @type {Example} */ (pool.find((example) => example.row === row));
      for (const [i, x] of Object.entries(numbers)) {
        exact[Number(i)] += x - row[Number(i)];
        row[Number(i)] = x;
      }
      publish();
    },
    /** @param {number[]} row */
    remove(row) {
      if (train.length === 1) return;
      isEdited = true;
      pool = pool.filter((example) => example.row !== row);
      examples = examples.filter((example) => example.row !== row);
      publish();
    },
  };
})();
