// @ts-check
// The losses and accuracies of both parts of the examples, by epoch.

const curves = (() => {
  /** The scores now. */
  const scores = () => ({ epoch: training.epochs, training: training.evaluate(training.train), test: training.evaluate(training.test) });

  function draw() {
    const { curve } = shown;
    const end = Math.max(1, curve[curve.length - 1].epoch);
    const stride = Math.ceil(curve.length / 300);
    const drawn = curve.filter((_, i) => i % stride === 0 || i === curve.length - 1);
    for (const path of all("#play-curves [data-part]")) {
      const part = /** @type {"training" | "test"} */ (path.dataset.part);
      const kind = /** @type {"loss" | "accuracy"} */ (path.dataset.kind);
      const losses = drawn.flatMap((at) => [at.training.loss ?? 0, at.test.loss ?? 0]).filter(Number.isFinite);
      const high = kind === "loss" ? Math.max(1e-12, ...losses) : 1;
      const points = drawn.filter((at) => Number.isFinite(at[part][kind])).map((at) => {
        const x = (300 * at.epoch) / end;
        return `${x.toFixed(2)} ${(98 - (96 * (at[part][kind] ?? 0)) / high).toFixed(2)}`;
      });
      path.setAttribute("d", points.length > 0 ? `M${points.join("L")}` : "");
    }
    const now = (300 * Math.min(end, training.epochs + training.position / training.train.n)) / end;
    for (const mark of all("#play-curves .now")) mark.setAttribute("d", `M${now.toFixed(2)} 0V100`);
    const last = training.history.end ? scores() : curve[curve.length - 1];
    for (const part of /** @type {const} */ (["training", "test"])) {
      const { loss, accuracy } = last[part];
      if (byId(`play-${part}-loss`)) byId(`play-${part}-loss`).textContent = formatNumber(loss ?? 0, 4);
      if (byId(`play-${part}-accuracy`)) byId(`play-${part}-accuracy`).textContent = `${(100 * (accuracy ?? 0)).toFixed(1)} %`;
    }
    for (const output of all("[data-last]")) output.textContent = String(end);
    byId("play-epoch").textContent = String(training.epochs);
    byId("play-steps").textContent = String(training.time);
  }

  return { scores, draw };
})();
