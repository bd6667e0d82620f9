// @ts-check
// The bridge to a notebook or playground that embeds the page: numbers that the user changed go to it, and those that it changed come back.

if (window.parent !== window) {
  let known = "{}";

  page.on("show", () => {
    const numbers = JSON.stringify(page.state.numbers);
    if (numbers === known) return;
    known = numbers;
    window.parent.postMessage({ glassgrad: JSON.parse(numbers) }, "*");
  });

  /** Show what a playground asks for, and answer with the numbers, which are its numbers if all have a value. @param {{glassgrad: any, step: number, dark: boolean}} asked */
  const showStep = ({ glassgrad: numbers, step, dark }) => {
    page.restore({ ...page.save(), numbers, step, losses: [] });
    page.reset = () => page.change((state) => Object.assign(state, { numbers: { ...numbers }, losses: [] }));
    if ((document.documentElement.dataset.theme === "dark") !== dark) COMMANDS.dark();
    window.parent.postMessage({ glassgrad: page.state.numbers, step }, "*");
  };

  window.addEventListener("message", (event) => {
    const numbers = event.data?.glassgrad;
    if (event.source !== window.parent || typeof numbers !== "object") return;
    if ("step" in event.data) showStep(event.data);
    if (JSON.stringify(numbers) === known) return;
    known = JSON.stringify(numbers);
    page.restore({ ...page.save(), numbers });
  });

  addEventListener("keydown", (event) => {
    const isOpen = document.querySelector("dialog[open], :popover-open");
    if (event.key === "Escape" && !event.defaultPrevented && !isOpen) window.parent.postMessage({ leave: true }, "*");
  });
}
