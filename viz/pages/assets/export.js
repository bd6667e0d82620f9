// @ts-check
// The drawing of a graph as a file: SVG that needs no style sheet, and PNG.

{
  const PROPERTIES = [
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin",
    "paint-order", "opacity", "visibility", "marker-start", "font-family", "font-size", "font-weight", "font-style",
    "text-anchor", "white-space",
  ];
  const MAX_PIXELS = 4000; // of the longer side

  /** The drawing as the page shows it, with every style in attributes. */
  const standalone = () => {
    const copy = /** @type {SVGSVGElement} */ (drawing.cloneNode(true));
    const originals = [drawing, ...drawing.querySelectorAll("*")];
    for (const [i, each] of [copy, ...copy.querySelectorAll("*")].entries()) {
      const style = getComputedStyle(originals[i]);
      if (each.closest("title, desc, defs")) continue;
      for (const name of PROPERTIES) each.setAttribute(name, style.getPropertyValue(name).replaceAll('"', "'"));
      for (const name of ["class", "style", "tabindex", "role", "aria-hidden"]) each.removeAttribute(name);
    }
    for (const each of copy.querySelectorAll("rect[data-handle], text:empty, [visibility=hidden]")) each.remove();
    const arrow = /** @type {Element} */ (part("arrow").cloneNode(true));
    arrow.firstElementChild?.setAttribute("fill", getComputedStyle(part("arrow").firstElementChild).fill);
    const background = document.createElementNS(drawing.namespaceURI, "rect");
    const { x, y, width, height } = paper;
    setAttributes(background, { x, y, width, height, fill: getComputedStyle(document.body).backgroundColor });
    copy.prepend(arrow, background);
    setAttributes(copy, { width, height, viewBox: [x, y, width, height].join(" ") });
    return new XMLSerializer().serializeToString(copy);
  };

  /**
   * @param {Blob} content
   * @param {string} ending
   */
  const save = (content, ending) => {
    const link = /** @type {HTMLAnchorElement} */ (element("a"));
    const name = decodeURIComponent(location.pathname).split("/").at(-1)?.replace(/\.html?$/, "");
    link.href = URL.createObjectURL(content);
    link.download = `${name && name !== "srcdoc" ? name : "graph"}-step-${page.state.step}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    part("menu").hidePopover?.();
  };

  COMMANDS.svg = () => save(new Blob([standalone()], { type: "image/svg+xml" }), "svg");
  COMMANDS.png = async () => {
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([standalone()], { type: "image/svg+xml" }));
    await image.decode();
    URL.revokeObjectURL(image.src);
    const scale = Math.min(2, MAX_PIXELS / Math.max(paper.width, paper.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(scale * paper.width);
    canvas.height = Math.round(scale * paper.height);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && save(blob, "png"));
  };
  for (const name of ["svg", "png"]) part(name).hidden = false;
}
