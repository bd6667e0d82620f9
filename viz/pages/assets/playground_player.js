// @ts-check
// The controls that train: play, steps and reset.

const player = (() => {
  function draw() {
    marks.draw();
    planes.drawAll();
    network.drawLines();
    curves.draw();
    document.dispatchEvent(new CustomEvent("play-draw"));
  }

  let frame = 0;
  let lastStep = 0;
  const play = byId("page-play");

  /** @param {string} name the message to show; "" for none */
  function say(name) {
    for (const message of all("#play-message span")) message.hidden = message.id !== `play-${name}`;
  }

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

  /** @type {Record<string, () => void>} */
  const commands = {
    "page-play": () => {
      if (frame) {
        pause();
      } else {
        play.setAttribute("aria-label", "pause");
        play.classList.add("playing");
        frame = requestAnimationFrame(nextFrame);
      }
    },
    "play-step": () => {
      pause();
      run(() => training.step());
      draw();
    },
    "play-example": () => {
      pause();
      run(() => training.step(1));
      draw();
    },
    "play-epochs": () => {
      pause();
      run(epoch);
      draw();
    },
    "play-reset": () => {
      pause();
      reset();
    },
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

  function reset() {
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
    run(() => {
      while (training.time < time) {
        training.step();
        if (training.position === 0) curves.record();
      }
    });
    draw();
  }

  return { draw, pause, reset, say, showStart, trainTo, get isPlaying() { return frame !== 0; } };
})();
