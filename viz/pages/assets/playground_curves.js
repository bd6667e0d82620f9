// @ts-check
// The losses and accuracies of both parts of the examples, by epoch.

const curves = (() => {
  const last = () => shown.curve[shown.curve.length - 1];
  /** The number of epochs at the right border. */
  const end = () => Math.max(1, Math.ceil(last().epoch));
  if (training.data.task === "number") byId("play-accuracy").remove();

  /** The scores now. @returns {Recorded} */
  const scores = () => ({
    epoch: training.epochs + training.position / training.train.n, time: training.time,
    training: training.evaluate(training.train), test: training.evaluate(training.test),
  });

  /** Add the scores now. They replace scores within an epoch, and later ones. */
  function record() {
    const now = scores();
    while (last() && (!Number.isInteger(last().epoch) || last().epoch >= now.epoch)) shown.curve.pop();
    shown.curve.push(now);
  }

  function draw() {
    const stride = Math.ceil(shown.curve.length / 300);
    const drawn = shown.curve.filter((at, i) => i % stride === 0 || at === last());
    const losses = drawn.flatMap((at) => [at.training.loss ?? 0, at.test.loss ?? 0]).filter(Number.isFinite);
    const x = (/** @type {Recorded} */ at) => ((300 * at.epoch) / end()).toFixed(2);
    for (const path of all("#play-curves [data-part]")) {
      const { part, kind } = path.dataset;
      const high = kind === "loss" ? Math.max(1e-12, ...losses) : 1;
      const scored = drawn.map((at) => /** @type {const} */ ([at, /** @type {any} */ (at)[part][kind]]));
      const points = scored.filter(([, y]) => Number.isFinite(y)).map(([at, y]) => `${x(at)} ${(98 - (96 * y) / high).toFixed(2)}`);
      path.setAttribute("d", points.length > 0 ? `M${points.join("L")}` : "");
    }
    const now = training.history.end ? scores() : last();
    for (const mark of all("#play-curves .now")) mark.setAttribute("d", `M${x(now)} 0V100`);
    for (const part of /** @type {const} */ (["training", "test"])) {
      const { loss, accuracy } = now[part];
      byId(`play-${part}-loss`).textContent = formatNumber(loss ?? 0, 4);
      if (accuracy !== null) byId(`play-${part}-accuracy`).textContent = `${(100 * accuracy).toFixed(1)} %`;
    }
    for (const output of all("[data-last]")) output.textContent = String(end());
    byId("play-count")?.replaceChildren(String(training.train.n));
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
