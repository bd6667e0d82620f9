// @ts-check
// The widget of a notebook: the page in a frame, isolated from the notebook, with which it exchanges numbers by messages.

/** @param {{model: any, el: HTMLElement}} view */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-forms allow-downloads allow-modals allow-popups");
  frame.allow = "clipboard-write";
  frame.title = "live page";
  frame.style.cssText = `box-sizing: border-box; width: 100%; height: ${model.get("height")}px; border: 1px solid #bbb`;

  const send = () => frame.contentWindow?.postMessage({ glassgrad: model.get("numbers") }, "*");
  /** @param {MessageEvent} event */
  const receive = (event) => {
    if (event.source !== frame.contentWindow || typeof event.data?.glassgrad !== "object") return;
    model.set("numbers", event.data.glassgrad);
    model.save_changes();
  };
  frame.addEventListener("load", send);
  window.addEventListener("message", receive);
  model.on("change:numbers", send);
  frame.srcdoc = model.get("page");
  el.append(frame);
  return () => {
    window.removeEventListener("message", receive);
    model.off("change:numbers", send);
  };
}

export default { render };
