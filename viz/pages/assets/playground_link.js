// @ts-check
// The link: the state of the page after the `#` of its address. Whatever is not understood in it is ignored.

const link = (() => {
  const button = byId("page-link");
  const isEmbedded = location.protocol === "about:"; // then it has no address
  let hash = "";
  let timer = 0;

  /** Return parts of the state as the end of an address; "" for the page as it opens. @param {Record<string, any>} parts */
  const pack = async (parts) => (Object.keys(parts).length > 0 ? `#${await packState(JSON.stringify(parts))}` : "");

  /** Let the address follow the page. @returns {Promise<string>} the message about what it does not contain; "" for none */
  async function write() {
    clearTimeout(timer);
    const saved = Object.entries(changes.parts).map(([name, part]) => [name, part.save()]);
    const { step, ...others } = Object.fromEntries(saved.filter(([, x]) => x !== undefined));
    let packed = await pack(step ? { ...others, step } : others);
    const isShort = packed.length <= MAX_LINK;
    if (!isShort) packed = await pack(others);
    if (packed.length > MAX_LINK) return "link-examples";
    if (packed !== hash) history.replaceState(history.state, "", packed || location.pathname + location.search);
    hash = packed;
    return isShort ? "" : "link-weights";
  }

  /** Go to the state of the address. */
  async function read() {
    if (location.hash === hash) return;
    hash = location.hash;
    const state = hash ? await unpackState(hash.slice(1)) : {};
    if (state === null || typeof state !== "object") return player.say("link-damaged");
    const names = Object.keys(changes.parts);
    const texts = names.map((name) => [name, Object.hasOwn(state, name) ? JSON.stringify(state[name]) : ""]);
    const isView = (/** @type {string[]} */ [name]) => !!changes.parts[name].view;
    changes.restore(Object.fromEntries(texts.filter((entry) => !isView(entry))));
    player.reset();
    changes.restore(Object.fromEntries(texts.filter(isView)));
  }

  function follow() {
    clearTimeout(timer);
    timer = setTimeout(write, 300);
  }

  button.hidden = isEmbedded;
  button.addEventListener("click", async () => {
    const message = await write();
    if (message) player.say(message);
    if (message !== "link-examples") copyText(location.href, button);
  });
  if (!isEmbedded) {
    on("play-state", follow);
    for (const name of ["change", "click", "keyup"]) addEventListener(name, follow);
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
