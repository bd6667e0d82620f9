// @ts-check
// A native number field that is live: typed, stepped by the arrow keys, and dragged.

/**
 * The unit by which a number changes: 0.01 for 2.0, 0.1 for 50.
 * @param {number} x
 */
function unitOf(x) {
  return 10 ** Math.max(-2, Math.floor(Math.log10(Math.max(Math.abs(x), 1e-9))) - 2);
}

/**
 * A number so many units away, which is a multiple of the unit: no 0.30000000000000004.
 * @param {number} x
 * @param {number} units
 * @param {number} unit
 */
function moved(x, units, unit) {
  const n = Math.round(x / unit) + units;
  return unit < 1 ? n / Math.round(1 / unit) : n * unit;
}

/**
 * Make a field live. Undoing is the page's: each gesture is remembered once.
 * @param {HTMLInputElement} input a number outside its `min` and `max` becomes the nearest one inside
 * @param {string | number} name a leaf, by its node, or the name of another number of the page
 * @param {number | null} digits the significant digits that it shows without the focus; null for all
 * @param {Element[]} [handles] the elements by which it can be dragged
 */
function numberField(input, name, digits, handles = [input]) {
  const [least, most] = [input.min || -Infinity, input.max || Infinity].map(Number);
  const get = () => page.moment.numbers[name] ?? page.moment.data[Number(name)];
  const show = () => {
    const hasFocus = document.activeElement === input;
    if (hasFocus && input.value !== "" && Number(input.value) === get()) return; // as it was typed
    const text = digits && !hasFocus ? formatNumber(get(), digits) : String(get());
    input.value = /[.e]/.test(text) ? text : `${text}.0`;
  };
  let gesture = {};
  let isRefused = false; // the text, by the page or because it is not a number
  const take = (/** @type {number} */ x) => {
    const isTaken = !input.readOnly && page.setNumber(name, clamp(x, least, most), gesture);
    input.setAttribute("aria-invalid", String(!isTaken));
    return isTaken;
  };

  input.addEventListener("focus", () => {
    gesture = {};
    isRefused = false;
    show();
    input.select(); // as the keyboard had selected the rounded number, which typing replaces
  });
  input.addEventListener("beforeinput", (event) => {
    if (!event.data || !/[^-+.\deE\s]/.test(event.data)) return;
    event.preventDefault(); // the browser would drop the character, and read 1,5 as 15
    const text = event.data.replaceAll(",", ".");
    if (/^[-+.\deE\s]+$/.test(text)) document.execCommand("insertText", false, text);
  });
  input.addEventListener("input", () => {
    isRefused = !Number.isFinite(input.valueAsNumber) || !take(input.valueAsNumber);
  });
  input.addEventListener("blur", () => {
    if (isRefused) page.cancel(gesture); // or a beginning of the text, which is a number too, would stay
    isRefused = false;
    input.removeAttribute("aria-invalid");
    page.setTrouble(null);
    input.value = "";
    show();
  });
  input.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 10, ArrowDown: -10, PageUp: 100, PageDown: -100 }[event.key];
    if (event.key === "Enter" || event.key === "Escape") {
      input.blur();
    } else if (direction && !event.ctrlKey && !event.metaKey && !event.altKey) {
      take(moved(get(), event.shiftKey ? direction / 10 : direction, unitOf(get())));
      isRefused = false;
      input.value = "";
      show();
    } else {
      return; // other keys type
    }
    event.preventDefault();
    event.stopPropagation();
  });

  for (const handle of handles) {
    handle.addEventListener("pointerdown", (/** @type {any} */ start) => {
      if (start.button) return;
      start.preventDefault();
      start.stopPropagation();
      handle.setPointerCapture(start.pointerId);
      const [x0, size] = [get(), unitOf(get())];
      let [units, last, wasMoved] = [0, start.clientX, false];
      const move = (/** @type {any} */ event) => {
        if (!wasMoved && Math.abs(event.clientX - start.clientX) < 3) return;
        if (!wasMoved) gesture = {};
        wasMoved = true;
        units += (event.clientX - last) * (event.shiftKey ? 0.1 : 1);
        last = event.clientX;
        const fine = event.shiftKey ? size / 10 : size;
        take(moved(x0, Math.round((units * size) / fine), fine));
      };
      handle.addEventListener("pointermove", move);
      document.body.classList.add("dragging");
      handle.addEventListener("lostpointercapture", () => { // after pointerup and pointercancel
        handle.removeEventListener("pointermove", move);
        document.body.classList.remove("dragging");
        input.removeAttribute("aria-invalid");
        page.setTrouble(null);
        if (wasMoved) return;
        input.focus();
        input.select();
      }, { once: true });
    });
  }
  page.on("show", show);
}
