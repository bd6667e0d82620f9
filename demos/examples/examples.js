// @ts-check
// Makes the examples of a page editable and runs them. An example consists of cells: code, then its output and pictures.
// In the documentation of a package an example stands alone; in a guide it follows the examples above it.
{
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const folder = script.src.replace(/[^/]*$/, "");
  const { package: package_ = "" } = script.dataset;
  const PROMPT = /^(<span class="gp">)?(&gt;&gt;&gt;|\.\.\.) ?(<\/span>)?/;
  const DIRECTIVE = /\s*(<span class="c1">)?# doctest:.*$/;

  /** @typedef {{code: HTMLElement, output: HTMLElement, pictures: HTMLElement}} Cell */
  /** @typedef {{name: string, cells: Cell[], button: HTMLButtonElement, status: HTMLElement}} Example */
  /** @type {Example[]} */
  const examples = [];
  /** @type {Map<number, Example[]>} the examples that each message to the worker runs */
  const running = new Map();
  /** @type {Worker | undefined} */
  let worker;
  let messages = 0;

  /** @param {string} tag @param {string} className @param {HTMLElement} parent */
  function append(tag, className, parent) {
    const element = document.createElement(tag);
    element.className = className;
    parent.append(element);
    return element;
  }

  /** @param {HTMLElement} listing @param {string[]} lines */
  function makeEditable(listing, lines) {
    const block = document.createElement("div");
    block.className = "example pdoc-code";
    const button = /** @type {HTMLButtonElement} */ (append("button", "run", block));
    const status = append("span", "status", block);
    status.setAttribute("role", "status");
    /** @type {Cell[]} */
    const cells = [];
    let isInput = false;
    for (const line of lines) {
      /** @type {boolean} */
      const isPrompt = PROMPT.test(line) && (isInput || !/^(<[^>]*>)?\.\.\./.test(line));
      if (isPrompt && !isInput) {
        const code = append("code", "code", append("pre", "", block));
        const output = append("output", "output", block);
        cells.push({ code, output, pictures: append("div", "pictures", block) });
      }
      isInput = isPrompt;
      const { code, output } = /** @type {Cell} */ (cells.at(-1));
      if (isPrompt) code.innerHTML += `${code.innerHTML && "\n"}${line.replace(PROMPT, "").replace(DIRECTIVE, "")}`;
      else output.innerHTML += `${line}\n`;
    }
    const id = listing.closest("section [id], section[id]")?.id ?? "";
    const example = { name: id, cells, button, status };
    for (const { code, output } of cells) {
      code.setAttribute("contenteditable", "plaintext-only");
      code.setAttribute("role", "textbox");
      code.setAttribute("aria-multiline", "true");
      code.setAttribute("aria-label", "Python code");
      code.spellcheck = false;
      output.textContent = (output.textContent ?? "").replaceAll("<BLANKLINE>", "").trimEnd();
    }
    block.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
      event.preventDefault();
      if (button.textContent === "Run") run(example);
    });
    button.addEventListener("click", () => (button.textContent === "Run" ? run(example) : stop()));
    setIdle(example);
    examples.push(example);
    listing.replaceWith(block);
  }

  /** @param {Example} example */
  function setIdle({ button, status }, words = "") {
    button.textContent = "Run";
    button.title = "Ctrl+Enter";
    status.textContent = words;
  }

  /** @param {Example} example */
  function run(example) {
    if (location.protocol === "file:") {
      example.status.textContent = "Python needs a server: python3 -m http.server in this folder, then localhost:8000";
      return;
    }
    example.button.textContent = "Stop";
    example.status.textContent = worker ? "running" : "loading Python, 15 MB";
    if (!worker) {
      worker = new Worker(`${folder}worker.js`, { type: "module" });
      worker.onmessage = ({ data }) => receive(data.id, data.outputs, data.error);
      worker.onerror = () => stop("Python could not be loaded");
    }
    const group = package_ ? [example] : examples.slice(0, examples.indexOf(example) + 1);
    running.set(++messages, group);
    const cells = group.flatMap(({ cells }) => cells.map(({ code }) => code.innerText));
    worker.postMessage({ id: messages, package: package_, name: example.name, cells });
  }

  function stop(words = "stopped") {
    worker?.terminate();
    worker = undefined;
    for (const group of running.values()) setIdle(/** @type {Example} */ (group.at(-1)), words);
    running.clear();
  }

  /** @param {number} id @param {{text: string, files: Object<string, string>}[]} outputs @param {string} [error] */
  function receive(id, outputs, error) {
    const group = running.get(id) ?? [];
    running.delete(id);
    for (const example of group) setIdle(example, error);
    if (error) return;
    group.flatMap(({ cells }) => cells).forEach(({ output, pictures }, i) => {
      output.textContent = outputs[i].text.trimEnd();
      pictures.replaceChildren();
      for (const [name, text] of Object.entries(outputs[i].files)) show(pictures, name, text);
    });
  }

  /** @param {HTMLElement} pictures @param {string} name @param {string} text */
  function show(pictures, name, text) {
    if (name.endsWith(".svg")) {
      const image = /** @type {HTMLImageElement} */ (append("img", "", pictures));
      image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
      image.alt = name;
    } else {
      const frame = /** @type {HTMLIFrameElement} */ (append("iframe", "", pictures));
      frame.title = name;
      frame.setAttribute("sandbox", "allow-scripts allow-forms allow-downloads allow-modals allow-popups");
      frame.srcdoc = text;
    }
  }

  for (const code of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("pre > code"))) {
    const lines = code.innerHTML.trimEnd().split("\n");
    const listing = code.closest(".codehilite") ?? code.parentElement;
    if (PROMPT.test(lines[0]) && listing instanceof HTMLElement) makeEditable(listing, lines);
  }
}
