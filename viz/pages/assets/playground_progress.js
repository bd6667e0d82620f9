// @ts-check
// The progress of the training, for links and undo: the number of steps, and the weights if those steps cannot be repeated.

/**
 * @typedef {{time: number, epochs: number, steps: number, weights: number[], state: number[][]}} Progress
 *   `steps` and `state` are those of the optimizer
 */

const progress = (() => {
  const MAX_WORK = 4e8; // of repeated steps, each the weights times the examples of a batch: a few seconds

  /** Whether steps from the first weights are few enough to repeat them. @param {number} time */
  const areFew = (time) => time * (training.parameters * Math.min(training.batch, training.train.n) + 1000) <= MAX_WORK;

  /** The steps to repeat; with the weights if there are too many, or if something changed on the way. */
  function save() {
    const { time, epochs, steps, weights, state } = training;
    if (training.isPlain && areFew(time)) return { time };
    return { time, epochs, steps, weights: [...weights], state: state.map((numbers) => [...numbers]) };
  }

  const isCount = (/** @type {any} */ x) => Number.isSafeInteger(x) && x >= 0;
  /** Whether a value has one number for each weight. @param {any} value */
  const isList = (value) => Array.isArray(value) && value.length === training.parameters && value.every(Number.isFinite);
  /** @param {any} value @returns {value is Progress} */
  function isProgress(value) {
    const { states } = UPDATES[training.optimizer];
    return [value.time, value.epochs, value.steps].every(isCount) && isList(value.weights)
      && Array.isArray(value.state) && value.state.length === states && value.state.every(isList);
  }

  /** Go to the progress that `save` returned, with the present settings. @param {any} value from a link, so it can be anything */
  function restore(value) {
    player.reset();
    if (!isCount(value?.time)) return;
    if (value.weights === undefined && areFew(value.time)) {
      player.trainTo(value.time);
    } else if (isProgress(value)) {
      training.resume(value);
      player.showStart();
    }
  }

  /** The progress before the first restart since the last change. @type {any} */
  let before;
  return {
    save,
    restore,
    /** Keep the progress, since a change begins the training again. */
    keep() {
      before ??= save();
    },
    /** Return the progress that was kept; undefined if the training did not begin again. */
    take() {
      const kept = before;
      before = undefined;
      return kept;
    },
  };
})();
