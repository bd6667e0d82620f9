// @ts-check
// The link: the whole state of the page, compressed, after the `#` of its address. Whatever is not understood in it is ignored.

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

  const writeLink = async () => {
    clearTimeout(timer);
    const state = JSON.stringify(page.save());
    const packed = state === initial ? "" : `#${await packState(state)}`;
    if (packed.length > MAX_LINK || isEmbedded || packed === hash) return;
    hash = packed;
    history.replaceState(null, "", packed || location.pathname + location.search);
  };

  const readLink = async () => {
    if (location.hash === hash) return;
    hash = location.hash;
    const state = await unpackState(hash.slice(1));
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
    for (const event of /** @type {const} */ (["show", "view", "quiz"])) page.on(event, changed);
  });
  addEventListener("hashchange", readLink);
}
