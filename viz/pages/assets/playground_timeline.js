// @ts-check
// The time: a slider and the curves go back to any step of the training.

const timeline = (() => {
  const { history } = training;
  const slider = byId("play-slider");

  /** Show the training as it was after a step. @param {number} step */
  function goTo(step) {
    player.pause();
    player.say("");
    history.goTo(step);
    emit("play-time");
    player.draw();
  }

  function draw() {
    [slider.min, slider.max, slider.value] = [history.first, history.last, training.time].map(String);
    slider.disabled = byId("play-look").disabled = history.first === history.last;
    byId("play-shown-step").textContent = String(training.time);
    byId("play-last-step").textContent = String(history.last);
  }

  history.dropped = () => {
    shown.curve = shown.curve.filter(({ time }) => time <= training.time);
    curves.record();
    curves.draw();
    draw();
  };
  on("play-draw", draw);
  slider.addEventListener("input", () => goTo(slider.valueAsNumber));
  for (const drawing of all("#play-curves svg")) {
    drawing.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const box = drawing.getBoundingClientRect();
      if (history.last > history.first) goTo(curves.at((event.clientX - box.left) / box.width).time);
    });
  }
  return { goTo };
})();
