// @ts-check
// The link: the state of the page after the `#` of its address. Whatever is not understood in it is ignored.

const link = (() => {
  const button = byId("page-link");
  const isEmbedded = location.protocol === "about:"; // then it has no address
  let hash = "";
  let timer = 0;

  /** Let the address follow the page. @returns {Promise<boolean>} whether it is short enough */
  async function write() {
    clearTimeout(timer);
    const saved = Object.entries(changes.parts).map(([name, part]) => [name, part.save()]).filter(([, x]) => x !== undefined);
    const packed = saved.length > 0 ? `#${await packState(JSON.stringify(Object.fromEntries(saved)))}` : "";
    if (packed.length > MAX_LINK) return false;
    if (packed !== hash) history.replaceState(history.state, "", packed || location.pathname + location.search);
    hash = packed;
    return true;
  }

  /** Go to the state of the address. */
  async function read() {
    if (location.hash === hash) return;
    hash = location.hash;
    const state = hash ? await unpackState(hash.slice(1)) : {};
    if (state === null || typeof state !== "object") return;
    const names = Object.keys(changes.parts);
    const texts = names.map((name) => [name, Object.hasOwn(state, name) ? JSON.stringify(state[name]) : ""]);
    const isView = (/** @type {string[]} */ [name]) => !!changes.parts[name].view;
    changes.restore(Object.fromEntries(texts.filter((entry) => !isView(entry))));
    player.pause();
    player.reset();
    changes.restore(Object.fromEntries(texts.filter(isView)));
  }

  function follow() {
    clearTimeout(timer);
    timer = setTimeout(write, 300);
  }

  button.hidden = isEmbedded;
  button.addEventListener("click", async () => {
    if (await write()) copyText(location.href, button);
    else player.say("link");
  });
  if (!isEmbedded) {
    document.addEventListener("play-state", follow);
    for (const name of ["change", "click"]) addEventListener(name, follow);
    addEventListener("hashchange", () => read().then(changes.remember));
  }
  return {
    read,
    /** Let the address be that of the present state, after the browser went back to a place of the close-up. */
    keep() {
      if (location.hash !== hash) history.replaceState(history.state, "", hash || location.pathname + location.search);
    },
  };
})();
