// @ts-check
// The link: the whole state of the page, compressed, after the `#` of its address. Whatever is not understood in it is ignored.

const MAX_LINK = 20_000; // characters
const MAX_STATE = 200_000; // bytes

{
  const note = part("note");
  const ownNote = [...note.childNodes];
  const noteText = /** @type {HTMLTextAreaElement} */ (part("note-text"));
  const boxes = [.../** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-shows]"))];
  const isEmbedded = location.protocol === "about:"; // then it has no address
  let initial = "";
  let hash = "";
  /** @type {number} */
  let timer = 0;

  /** @param {string} text */
  const pack = async (text) => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const characters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };

  /** @param {string} packed @returns {Promise<any>} the state; null if the text is damaged or too long */
  const unpack = async (packed) => {
    if (!/^[\w-]+$/.test(packed) || packed.length > MAX_LINK) return null;
    try {
      const characters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
      const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
      const reader = stream.getReader();
      const decoder = new TextDecoder();
      let [text, size] = ["", 0];
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        size += chunk.value.length;
        if (size > MAX_STATE) {
          await reader.cancel(); // a short text can expand to gigabytes
          return null;
        }
        text += decoder.decode(chunk.value, { stream: true });
      }
      return JSON.parse(text);
    } catch {
      return null;
    }
  };

  const writeLink = async () => {
    clearTimeout(timer);
    const state = JSON.stringify(page.save());
    const packed = state === initial ? "" : `#${await pack(state)}`;
    if (packed.length > MAX_LINK || isEmbedded || packed === hash) return;
    hash = packed;
    history.replaceState(null, "", packed || location.pathname + location.search);
  };

  const readLink = async () => {
    if (location.hash === hash) return;
    hash = location.hash;
    const state = await unpack(hash.slice(1));
    if (!state) return;
    page.restore(state);
    page.setTrouble(null);
  };

  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(writeLink, 300);
  };

  COMMANDS.link = async () => {
    await writeLink();
    copyText(location.href, part("link"));
  };

  /** Hide controls. @param {string[]} names */
  const hide = (names) => {
    for (const box of boxes) {
      const isShown = !names.includes(box.dataset.shows ?? "");
      box.checked = isShown;
      for (const control of document.querySelectorAll(`[data-control="${box.dataset.shows}"]`)) {
        control.classList.toggle("removed", !isShown);
      }
    }
  };
  /** Show the text of a note; without one, that of the file. @param {string} text */
  const showNote = (text) => {
    noteText.value = text;
    note.replaceChildren(...(text ? [text] : ownNote));
    note.classList.toggle("plain", text !== "");
    note.hidden = !note.textContent?.trim();
  };

  page.extras.hidden = {
    save: () => boxes.filter((box) => !box.checked).map((box) => box.dataset.shows),
    restore: (names) => hide(Array.isArray(names) ? names : []),
  };
  page.extras.note = {
    save: () => noteText.value || undefined,
    restore: (text) => showNote(typeof text === "string" ? text.slice(0, noteText.maxLength) : ""),
  };
  for (const box of boxes) {
    box.addEventListener("change", () => {
      hide(page.extras.hidden.save().map(String));
      changed();
    });
  }
  noteText.addEventListener("input", () => {
    showNote(noteText.value);
    changed();
  });

  page.on("ready", async () => {
    hide(page.data.options.hide ?? []);
    showNote("");
    part("link").hidden = isEmbedded;
    initial = JSON.stringify(page.save());
    await readLink();
    for (const event of /** @type {const} */ (["show", "view"])) page.on(event, changed);
    page.on("quiz", changed);
  });
  addEventListener("hashchange", readLink);
}
