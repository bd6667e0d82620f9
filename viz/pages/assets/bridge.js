// @ts-check
// The bridge to a notebook that embeds the page: the numbers that the user changed go to it, and those that it changed come back.

if (window.parent !== window) {
  let known = "{}";

  page.on("show", () => {
    const numbers = JSON.stringify(page.state.numbers);
    if (numbers === known) return;
    known = numbers;
    window.parent.postMessage({ glassgrad: JSON.parse(numbers) }, "*");
  });

  window.addEventListener("message", (event) => {
    const numbers = event.data?.glassgrad;
    if (event.source !== window.parent || typeof numbers !== "object" || JSON.stringify(numbers) === known) return;
    known = JSON.stringify(numbers);
    page.restore({ ...page.save(), numbers });
  });
}
