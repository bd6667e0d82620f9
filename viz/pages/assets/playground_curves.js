// @ts-check
// The losses and accuracies of both parts of the examples, by epoch.

const curves = (() => {
  /** The scores now. @returns {Recorded} */
  const scores = () => ({
    epoch: training.epochs + training.position / training.train.n, time: training.time,
    training: training.evaluate(training.train), test: training.evaluate(training.test),
  });
  const last = () => shown.curve[shown.curve.length - 1];
  /** The number of epochs at the right border. */
  const end = () => Math.max(1, Math.ceil(last().epoch));

  /** Add the scores now. They replace scores within an epoch, and later ones. */
  function record() {
    const now = scores();
    while (last() && (!Number.isInteger(last().epoch) || last().epoch >= now.epoch)) shown.curve.pop();
    shown.curve.push(now);
  }

  function draw() {
    const { curve } = shown;
    const stride = Math.ceil(curve.length / 300);
    const drawn = curve.filter((_, i) => i % stride === 0 || i === curve.length - 1);
    for (const path of all("#play-curves [data-part]")) {
      const part = /** @type {"training" | "test"} */ (path.dataset.part);
      const kind = /** @type {"loss" | "accuracy"} */ (path.dataset.kind);
      const losses = drawn.flatMap((at) => [at.training.loss ?? 0, at.test.loss ?? 0]).filter(Number.isFinite);
      const high = kind === "loss" ? Math.max(1e-12, ...losses) : 1;
      const points = drawn.filter((at) => Number.isFinite(at[part][kind])).map((at) => {
        const x = (300 * at.epoch) / end();
        return `${x.toFixed(2)} ${(98 - (96 * (at[part][kind] ?? 0)) / high).toFixed(2)}`;
      });
      path.setAttribute("d", points.length > 0 ? `M${points.join("L")}` : "");
    }
    const now = training.history.end ? scores() : last();
    for (const mark of all("#play-curves .now")) mark.setAttribute("d", `M${((300 * now.epoch) / end()).toFixed(2)} 0V100`);
    for (const part of /** @type {const} */ (["training", "test"])) {
      const { loss, accuracy } = now[part];
      if (byId(`play-${part}-loss`)) byId(`play-${part}-loss`).textContent = formatNumber(loss ?? 0, 4);
      if (byId(`play-${part}-accuracy`)) byId(`play-${part}-accuracy`).textContent = `${(100 * (accuracy ?? 0)).toFixed(1)} %`;
    }
    for (const output of all("[data-last]")) output.textContent = String(end());
    byId("play-epoch").textContent = String(training.epochs);
    byId("play-steps").textContent = String(training.time);
  }

  return {
    scores,
    draw,
    record,
    /** The scores that are drawn at a share of the width, from 0 to 1. @param {number} share */
    at: (share) => shown.curve.find(({ epoch }) => epoch >= Math.round(share * end())) ?? last(),
  };
})();
