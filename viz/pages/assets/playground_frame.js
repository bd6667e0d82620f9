// @ts-check
// The live page of a network in the close-up, in a frame, with which the playground exchanges numbers by messages.

const frame = (() => {
  const { zoom: network } = data;
  const room = byId("play-zoom-frame");
  /** @type {HTMLIFrameElement | null} */
  let element = null;
  /** The message for the frame, with the network and the step to show. @type {Record<string, any> | null} */
  let asked = null;

  /** Show a sentence instead of, or above, the network. @param {string} name */
  function note(name) {
    showOnly("note", name);
    room.hidden = name !== "alone";
    byId("play-zoom-chain").hidden = name === "alone" || closeUp.weight === null;
  }

  async function create() {
    element = document.createElement("iframe");
    element.title = "network of the example";
    element.className = "waiting";
    element.addEventListener("load", send);
    element.srcdoc = await new Response(decompress(bytesOf(network.page))).text();
    room.replaceChildren(element);
  }

  function send() {
    if (asked) element?.contentWindow?.postMessage(asked, "*");
  }

  /**
   * Show the network of an example as it was before a step.
   * @param {CloseUp} step
   * @param {Place} place
   */
  function show({ before, rows, settings }, { weight, example }) {
    const row = rows[example ?? 0];
    note(network.note ?? (shape.hasRecordedSizes ? "alone" : "shape"));
    if (room.hidden) return;
    const numbers = /** @type {Record<string, number>} */ ({ rate: settings.learning_rate });
    const leaves = /** @type {number[]} */ ([...network.inputs, ...network.target, ...network.weights]);
    [...row, ...before.weights].forEach((x, i) => (numbers[leaves[i]] = x));
    if (shape.hidden in network.rules) {
      for (const layer of shape.hiddenSizes.keys()) numbers[`activation${layer + 1}`] = network.rules[shape.hidden];
    }
    const { layer, neuron } = stepData.connection(weight ?? 0);
    const step = weight === null ? 0 : network.updates[stepData.neuronsBefore(layer) + neuron];
    asked = { glassgrad: numbers, step, dark: document.documentElement.dataset.theme === "dark" };
    if (element) send();
    else create();
  }

  function hide() {
    asked = null;
    element?.classList.add("waiting");
  }

  addEventListener("message", ({ source, data: reply }) => {
    if (!element || source !== element.contentWindow || !asked) return;
    if (reply.leave) return history.back();
    if (!("step" in reply)) return; // the user changed a number there
    const isTaken = Object.entries(asked.glassgrad).every(([name, x]) => Object.is(reply.glassgrad[name], x));
    note(isTaken ? "alone" : "trouble");
    element.classList.toggle("waiting", !isTaken);
  });
  return { show, hide };
})();
