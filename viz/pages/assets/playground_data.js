// @ts-check
// The examples: which ones train and which ones test, their noise, and changes by hand or by a table.

/**
 * @typedef {{exact: number[], draw: number, isTest: boolean}} ExactExample
 *   its numbers without noise, the number of its noise (-1 for none), and its part
 * @typedef {ExactExample & {row: number[]}} Example with its numbers
 */

/** Whether an example has a class: the targets of several numbers are classes only for this task. */
const hasClasses = training.data.task === "classes" || (training.data.task !== "number" && training.data.outputs === 1);
/** The border between the two classes of a target; that of an output is 0. */
const TARGET_BORDER = training.data.task === "binary" ? 0.5 : 0;
/** The class that an output or a target means. @param {number[] | Float64Array} numbers @param {number} border */
const classOf = (numbers, border = TARGET_BORDER) => {
  return training.data.task === "classes" ? largest(numbers) : Number(numbers[0] > border);
};
/** The target of a class. @param {number} k */
function targetOf(k) {
  const { outputs, task } = training.data;
  if (task === "classes") return Array.from({ length: outputs }, (_, i) => Number(i === k));
  return [task === "hinge" ? 2 * k - 1 : k];
}

const dataset = (() => {
  const MAX_EXAMPLES = 10_000;
  const MAX_NOISE = 0.5;
  const { inputs, train, test, seed } = training.data; // another seed of the weights does not change split and noise
  /** @type {ExactExample[]} */
  const opening = [...train, ...test].map((row, draw) => ({ exact: [...row], draw, isTest: draw >= train.length }));
  const openingShare = test.length / opening.length;
  /** In the order in which they are trained. @type {Example[]} */
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

  /** @param {ExactExample[]} list @param {number[][]} [limits] of the inputs */
  function take(list, limits) {
    examples = list.map(({ exact, ...others }) => ({ row: [...exact], exact: [...exact], ...others }));
    const rows = list.map(({ exact }) => exact);
    space.measure(rows, limits ?? space.limitsOf(rows));
  }

  function addNoise() {
    for (const { row, exact, draw } of examples) {
      for (let i = 0; i < inputs; i++) {
        row[i] = exact[i] + (draw < 0 || noise === 0 ? 0 : noise * space.widths[i] * noiseOf(draw)[i]);
      }
    }
    space.fit(examples.map(({ row }) => row));
  }

  function fillParts() {
    train.length = test.length = 0;
    for (const { row, isTest } of examples) (isTest ? test : train).push(row);
  }

  /** Pass the examples to the training. */
  function publish() {
    fillParts();
    version += 1;
    training.readExamples();
    emit("play-data");
  }

  /** Test with the first examples of the order of `random.Random(seed).shuffle`; without a test part, keep the order. */
  function split() {
    const first = [...examples].sort((a, b) => (a.draw + 1 || Infinity) - (b.draw + 1 || Infinity));
    const order = Int32Array.from(first, (_, i) => i);
    const n = Math.min(Math.round(share * first.length), first.length - 1);
    if (n > 0) new Random(seed).shuffle(order);
    examples = Array.from(order, (i) => first[i]);
    examples.forEach((example, i) => (example.isTest = n > i));
  }

  function open() {
    take(opening);
    [share, noise, isEdited] = [openingShare, 0, false];
    [names.classes, names.inputs] = [data.classes, data.inputs];
  }

  /** Change examples by hand. @param {() => void} change */
  function edit(change) {
    isEdited = true;
    change();
    publish();
  }

  /** Whether a value is a list of some length of right items. @param {any} value @param {number} n @param {(x: any) => boolean} isRight */
  const isList = (value, n, isRight) => Array.isArray(value) && value.length === n && value.every(isRight);
  const isText = (/** @type {any} */ x) => typeof x === "string";
  const isLimits = (/** @type {any} */ pair) => isList(pair, 2, Number.isFinite) && pair[0] <= pair[1];
  /** Whether a value is a number within limits. @param {any} x @param {number} low @param {number} high */
  const isWithin = (x, low, high) => typeof x === "number" && x >= low && x <= high;
  const isRow = (/** @type {any} */ row) => isList(row, training.width + 2, Number.isFinite)
    && Number.isInteger(row[0]) && isWithin(row[0], -1, MAX_EXAMPLES - 1) && [0, 1].includes(row[1]);
  const isTable = (/** @type {any} */ rows) => Array.isArray(rows) && rows.length <= MAX_EXAMPLES
    && rows.every(isRow) && rows.some((row) => row[1] === 0);

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
      if (!isEdited) return share === openingShare && noise === 0 ? undefined : { share, noise };
      const rows = examples.map(({ exact, draw, isTest }) => [draw, Number(isTest), ...exact]);
      return { share, noise, names: { ...names }, limits: space.limits, rows };
    },
    /** Go back to what `save` returned. @param {any} value from a link, so it can be anything */
    restore(value) {
      open();
      if (isWithin(value?.noise, 0, MAX_NOISE)) noise = value.noise;
      if (isWithin(value?.share, 0, 1)) share = value.share;
      if (isTable(value?.rows)) {
        isEdited = true;
        for (const kind of /** @type {const} */ (["classes", "inputs"])) {
          if (isList(value.names?.[kind], names[kind].length, isText)) names[kind] = value.names[kind];
        }
        const list = value.rows.map((/** @type {number[]} */ [draw, part, ...exact]) => ({ exact, draw, isTest: part === 1 }));
        take(list, isList(value.limits, inputs, isLimits) ? value.limits : undefined);
      } else if (share !== openingShare) {
        split();
      }
      addNoise();
      publish();
    },
    /** Test with a share of the examples; with the share of the opening, those of the opening. @param {number} x */
    split(x) {
      share = x;
      if (isEdited || x !== openingShare) split();
      else take(opening);
      addNoise();
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
      edit(() => {
        [names.inputs, names.classes] = [inputNames, classNames];
        take(rows.map((exact, draw) => ({ exact, draw, isTest: false })));
        split();
        addNoise();
      });
    },
    /** Add an example to train with. @param {number[]} row */
    add(row) {
      if (examples.length === MAX_EXAMPLES) return null;
      edit(() => examples.push({ row, exact: [...row], draw: -1, isTest: false }));
      return row;
    },
    /** Change numbers of an example. @param {number[]} row @param {Record<number, number>} numbers by their places */
    move(row, numbers) {
      const exact = examples.find((example) => example.row === row)?.exact;
      if (!exact) return; // undo has replaced the example that is dragged
      edit(() => {
        for (const [i, x] of Object.entries(numbers)) {
          exact[Number(i)] += x - row[Number(i)];
          row[Number(i)] = x;
        }
      });
    },
    /** @param {number[]} row */
    remove(row) {
      if (train.length > 1) edit(() => (examples = examples.filter((example) => example.row !== row)));
    },
  };
})();
