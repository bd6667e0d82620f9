// @ts-check
// Steps by keys, buttons and the slider; light and dark.

/**
 * What buttons and keys do, by the name of the button. Other scripts add theirs.
 * @type {Record<string, () => void>}
 */
const COMMANDS = {};
/** The commands of keys. @type {Record<string, string>} */
const KEYS = {
  ArrowRight: "next", PageDown: "next", n: "next", ArrowLeft: "back", PageUp: "back", b: "back",
  Home: "first", r: "first", End: "last", " ": "play", u: "undo",
};

{
  const slider = part("slider");
  const play = part("play");
  /** @type {number} */
  let timer = 0;

  /** @param {boolean} isPlaying */
  const setPlaying = (isPlaying) => {
    clearTimeout(timer);
    timer = isPlaying ? setTimeout(playStep, Math.min(6000, 1400 + 700 * countLines())) : 0;
    play.setAttribute("aria-label", isPlaying ? "pause" : "play");
    play.classList.toggle("playing", isPlaying);
  };
  const countLines = () => part("lines").querySelectorAll("p:not(.spoken)").length;
  const playStep = () => {
    page.move(page.state.step + 1);
    if (timer) setPlaying(page.state.step < page.last);
  };
  const jump = (/** @type {number} */ step) => {
    setPlaying(false);
    page.move(step);
  };

  Object.assign(COMMANDS, {
    first: () => jump(0),
    back: () => jump(page.state.step - 1),
    play: () => {
      if (!timer && page.state.step === page.last) page.move(0);
      setPlaying(!timer);
    },
    next: () => jump(page.state.step + 1),
    last: () => jump(page.last),
    undo: () => page.undo(),
    reset: () => page.reset(),
    dark: () => setTheme(document.documentElement.dataset.theme !== "dark"),
  });

  page.on("ready", () => {
    slider.max = page.last;
    for (const [name, command] of Object.entries(COMMANDS)) part(name)?.addEventListener("click", command);
    // The slider is coloured by the phases of the steps.
    const colours = { forward: "--green", backward: "--orange", tangent: "--orange", update: "--blue", again: "--green" };
    const stops = page.steps.map(({ phase }, i) => {
      const colour = colours[/** @type {keyof typeof colours} */ (phase)] ?? "--rule";
      const place = (/** @type {number} */ k) => `${(100 * k) / page.steps.length}%`;
      return `var(${colour}) ${place(i)} ${place(i + 1)}`;
    });
    slider.style.setProperty("--parts", `linear-gradient(to right, ${stops.join(", ")})`);
  });
  slider.addEventListener("input", () => {
    jump(Number(slider.value));
    slider.value = page.state.step;
  });

  page.on("show", () => {
    const { step } = page.state;
    slider.value = step;
    slider.setAttribute("aria-valuetext", part("lines").querySelector("h2")?.textContent ?? "");
    const [isFirst, isLast] = [step === 0, step === page.last];
    const [isNew, isRecorded] = [page.history.length === 0, Object.keys(page.state.numbers).length === 0];
    const disabled = { first: isFirst, back: isFirst, next: isLast, last: isLast, undo: isNew, reset: isRecorded };
    for (const [name, isDisabled] of Object.entries(disabled)) part(name).setAttribute("aria-disabled", isDisabled);
  });

  addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      page.undo();
      event.preventDefault();
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (target.closest("textarea, select, input:not([type=range])")) return; // these type
    if (event.key === " " && target.closest("button")) return;
    if (!(event.key in KEYS)) return;
    COMMANDS[KEYS[event.key]]();
    event.preventDefault();
  });

  const setTheme = (/** @type {boolean} */ dark) => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    part("dark").setAttribute("aria-pressed", dark);
  };
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  prefersDark.addEventListener("change", () => setTheme(prefersDark.matches));
  setTheme(prefersDark.matches);
}
