// @ts-check
// The state of the page in parts, and undo and redo of its changes.

/**
 * A part of the state. A link has all parts; undo changes only parts without `view`.
 * @typedef {object} StatePart
 * @property {() => any} save returns JSON, or undefined if nothing has changed since the opening
 * @property {(value: any) => void} restore goes back to what `save` returned; a link can contain anything
 * @property {boolean} [view]
 */

const changes = (() => {
  const MAX_CHANGES = 100;
  /** @type {Record<string, StatePart>} */
  const parts = {
    examples: dataset, layers: structure.state, settings: settings.state, weights: settings.weights, view: settings.view,
    step: { save: () => (training.time > 0 ? progress.save() : undefined), restore: progress.restore, view: true },
  };
  /**
   * States: the texts of the parts that can be undone, and the progress, if the training begins again after the state.
   * @type {{before: Record<string, any>[], after: Record<string, any>[]}}
   */
  const stacks = { before: [], after: [] };
  /** @type {Record<string, any>} */
  let now = {};

  const text = (/** @type {StatePart} */ part) => JSON.stringify(part.save()) ?? "";

  /** The texts of the parts that can be undone; a text that did not change is shared. */
  function snapshot() {
    const edited = Object.entries(parts).filter(([, part]) => !part.view).map(([name, part]) => [name, text(part)]);
    return Object.fromEntries(edited.map(([name, latest]) => [name, latest === now[name] ? now[name] : latest]));
  }

  /** Go to a state. @param {Record<string, string>} state the texts of its parts */
  function restore(state) {
    for (const [name, part] of Object.entries(parts)) {
      const wanted = state[name] ?? "";
      if (name in state && wanted !== text(part)) part.restore(wanted === "" ? undefined : JSON.parse(wanted));
    }
  }

  /** Note what the user has changed. */
  function remember() {
    const latest = snapshot();
    const kept = progress.take();
    if (Object.keys(latest).every((name) => latest[name] === now[name])) return;
    stacks.before.push({ ...now, kept });
    if (stacks.before.length > MAX_CHANGES) stacks.before.shift();
    stacks.after = [];
    accept(latest);
  }
  /** @param {Record<string, any>} state */
  function accept(state = snapshot()) {
    now = state;
    progress.take();
    byId("page-undo").setAttribute("aria-disabled", String(stacks.before.length === 0));
    byId("page-redo").setAttribute("aria-disabled", String(stacks.after.length === 0));
    emit("play-state");
  }

  /** @param {"before" | "after"} from @param {"before" | "after"} to */
  function go(from, to) {
    remember();
    const state = stacks[from].pop();
    if (!state) return;
    stacks[to].push({ ...now, kept: state.kept && progress.save() });
    restore(state);
    if (state.kept) progress.restore(state.kept);
    accept();
  }
  const undo = () => go("before", "after");
  const redo = () => go("after", "before");
  byId("page-undo").addEventListener("click", undo);
  byId("page-redo").addEventListener("click", redo);
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (/** @type {Element} */ (event.target).closest("textarea, dialog")) return;
    const key = event.key.toLowerCase();
    if (key === "y" || (key === "z" && event.shiftKey)) redo();
    else if (key === "z") undo();
    else return;
    event.preventDefault();
  });
  // A typed number is noted at the `change` event of its field, not at each key.
  for (const name of ["change", "click", "pointerup", "keyup"]) {
    addEventListener(name, ({ type, target }) => {
      if (type !== "keyup" || !(target instanceof HTMLInputElement)) remember();
    });
  }
  on("play-time", () => accept());

  return { parts, restore, accept, remember };
})();
