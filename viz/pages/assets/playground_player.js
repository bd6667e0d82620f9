// @ts-check
// The controls that train: play, steps and reset.

const player = (() => {
  const play = byId("page-play");
  let frame = 0;
  let lastStep = 0;

  function draw() {
    marks.draw();
    planes.drawAll();
    network.drawLines();
    curves.draw();
    emit("play-draw");
  }

  /** Show a message. @param {string} name "" for none */
  const say = (name) => showOnly("message", name);

  /**
   * Do some steps; if a number is not finite, stop with the weights before that step.
   * @param {() => void} steps
   */
  function run(steps) {
    say("");
    const { time } = training;
    try {
      steps();
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      pause();
      say(error.kind === "overflow" ? "overflow" : "novalue");
    }
    if (training.time > time) curves.record();
  }

  function pause() {
    const wasPlaying = frame !== 0;
    cancelAnimationFrame(frame);
    frame = 0;
    if (wasPlaying) planes.drawAll(); // with all points again
    play.setAttribute("aria-label", "play");
    play.classList.remove("playing");
  }

  /** One epoch, with its scores; it pauses at a plateau if the setting says so. */
  function epoch() {
    training.epoch();
    curves.record();
    if (byId("play-plateau").checked && training.hasConverged()) {
      pause();
      say("converged");
    }
  }

  /** @param {number} now in milliseconds */
  function nextFrame(now) {
    frame = requestAnimationFrame(nextFrame);
    const speed = byId("play-speed").value;
    if (speed === "slow") {
      if (now - lastStep < 400) return;
      lastStep = now;
      run(() => training.step());
    } else {
      run(() => {
        do epoch();
        while (frame && speed === "fast" && performance.now() - now < 8);
      });
    }
    draw();
  }

  function start() {
    play.setAttribute("aria-label", "pause");
    play.classList.add("playing");
    frame = requestAnimationFrame(nextFrame);
  }

  /** Pause, and do some steps. @param {() => void} steps */
  function train(steps) {
    pause();
    run(steps);
    draw();
  }

  function reset() {
    pause();
    say("");
    training.reset();
    showStart();
  }

  /** Show the training, whose curves begin here. */
  function showStart() {
    shown.curve = [];
    curves.record();
    draw();
  }

  /** Train until a step, as the user did who came to it. @param {number} time */
  function trainTo(time) {
    train(() => {
      while (training.time < time) {
        training.step();
        if (training.position === 0) curves.record();
      }
    });
  }

  /** @type {Record<string, () => void>} */
  const commands = {
    "page-play": () => (frame ? pause() : start()),
    "play-step": () => train(() => training.step()),
    "play-example": () => train(() => training.step(1)),
    "play-epochs": () => train(epoch),
    "play-reset": reset,
  };
  const keys = { " ": "page-play", ArrowRight: "play-step", e: "play-epochs", x: "play-example", r: "play-reset" };
  for (const [id, command] of Object.entries(commands)) byId(id).addEventListener("click", command);
  addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.altKey || event.metaKey || target.closest("input, select, textarea, dialog")) return;
    if ((event.key === " " || event.key === "Enter") && target.closest("button, summary")) return;
    const command = commands[keys[/** @type {keyof typeof keys} */ (event.key)]];
    if (!command) return;
    command();
    event.preventDefault();
  });

  return { draw, pause, reset, say, showStart, trainTo, get isPlaying() { return frame !== 0; } };
})();
