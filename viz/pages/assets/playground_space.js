// @ts-check
// The plane: two inputs go from left to right and from bottom to top, the others are held.

const space = (() => {
  const { inputs, task } = training.data;
  /** The least and the largest number of a list. @param {number[]} numbers */
  const bounds = (numbers) => [numbers.reduce((x, y) => Math.min(x, y)), numbers.reduce((x, y) => Math.max(x, y))];
  /** The borders of the plane in each input. @type {number[][]} */
  const ranges = Array.from({ length: inputs }, () => [0, 1]);
  /** The differences of the largest and the least of each input, without noise. @type {number[]} */
  const widths = [];
  /** @type {number[]} */
  const held = [];
  /** @type {number[][]} */
  let limits = [];
  const targetRange = [0, 0];
  /** The borders of the outputs, which go up if there is one input. */
  const outputs = { number: [0, 0], hinge: [-1.6, 1.6], binary: [-0.1, 1.1], classes: [-0.1, 1.1] }[task];
  const axes = [0, Math.min(1, inputs - 1)];

  /** A coordinate of a row or column of the plane. @param {number} axis @param {number} part from 0 to 1 */
  const coordinate = (axis, part) => ranges[axis][0] + part * (ranges[axis][1] - ranges[axis][0]);
  /** Add margins to a range. @param {number[]} range */
  const widen = ([low, high]) => {
    const margin = 0.12 * (high - low) || 1;
    return [low - margin, high + margin];
  };
  /** @param {number} x @param {number[]} range */
  const share = (x, [low, high]) => (x - low) / (high - low);

  return {
    axes, bounds, held, ranges, widths, targetRange, outputs, coordinate, share,
    get limits() { return limits; },
    /** The least and the largest number of each input. @param {number[][]} rows */
    limitsOf: (rows) => ranges.map((_, i) => bounds(rows.map((row) => row[i]))),
    /** Take the borders from examples without noise. @param {number[][]} rows @param {number[][]} newLimits */
    measure(rows, newLimits) {
      limits = newLimits;
      limits.forEach(([low, high], i) => {
        const mean = rows.reduce((sum, row) => sum + row[i], 0) / rows.length;
        held[i] = Math.abs(mean) < 1e-12 * (high - low) ? 0 : mean;
        widths[i] = high - low;
      });
      if (task !== "number") return;
      [targetRange[0], targetRange[1]] = bounds(rows.flatMap((row) => row.slice(inputs)));
      [outputs[0], outputs[1]] = widen(targetRange);
    },
    /** Widen them for examples with noise. @param {number[][]} rows */
    fit(rows) {
      limits.forEach((limit, i) => (ranges[i] = widen(bounds([...limit, ...rows.map((row) => row[i])]))));
    },
    /** The place of an example, as shares of the plane from the left and from the bottom. @param {number[]} row */
    place(row) {
      const across = share(row[axes[0]], ranges[axes[0]]);
      if (inputs > 1) return [across, share(row[axes[1]], ranges[axes[1]])];
      return [across, share(task === "classes" ? 1 : row[1], outputs)];
    },
    /** The numbers of a row at a place, by their indices. @param {number[]} shares @returns {Record<number, number>} */
    at([across, up]) {
      if (inputs > 1) return { [axes[0]]: coordinate(axes[0], across), [axes[1]]: coordinate(axes[1], up) };
      const x = { 0: coordinate(0, across) };
      return task === "number" ? { ...x, 1: outputs[0] + up * (outputs[1] - outputs[0]) } : x;
    },
  };
})();
