// @ts-check
// The time: a slider and the curves go back to any step of the training.

const timeline = (() => {
  const { history } = training;
  const slider = byId("play-slider");

  history.dropped = () => {
    shown.curve = shown.curve.filter(({ time }) => time <= training.time);
    curves.draw();
    draw();
  };

  /** Show the training as it was after a step. @param {number} step */
  function goTo(step) {
    player.pause();
    player.say("");
    history.goTo(step);
    document.dispatchEvent(new Event("play-time"));
    player.draw();
  }

  function draw() {
    [slider.min, slider.max] = [String(history.first), String(history.last)];
    slider.value = String(training.time);
    slider.disabled = history.first === history.last;
    byId("play-shown-step").textContent = String(training.time);
    byId("play-last-step").textContent = String(history.last);
    byId("play-look").disabled = slider.disabled;
  }

  document.addEventListener("play-draw", draw);
  slider.addEventListener("input", () => goTo(slider.valueAsNumber));
  for (const drawing of all("#play-curves svg")) {
    drawing.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const box = drawing.getBoundingClientRect();
      if (history.last > history.first) goTo(curves.at((event.clientX - box.left) / box.width).time);
    });
  }
  return { goTo };
})();
