// @ts-check
// The plane and the picture of the network as PNG files.

{
  const SCALE = 3; // pixels of the file per pixel of the page

  /** @param {number} width @param {number} height */
  function create(width, height) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height].map((x) => Math.round(SCALE * x));
    return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /**
   * Fill what is transparent, and save the picture at once; `toBlob` would wait until the page is idle.
   * @param {CanvasRenderingContext2D} context
   * @param {string} name
   */
  function finish(context, name) {
    context.resetTransform();
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = colours.drawn.paper;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    const [, base64] = context.canvas.toDataURL("image/png").split(",");
    download(name, new Blob([bytesOf(base64)], { type: "image/png" }));
  }

  function savePlane() {
    const context = create(planes.canvas.clientWidth, planes.canvas.clientWidth);
    planes.drawInto(context.canvas);
    finish(context, "plane.png");
  }

  /** Draw what the section "network" shows: lines, pictures, marks of the biases, and names. */
  function saveNetwork() {
    const section = byId("play-network");
    const frame = section.getBoundingClientRect();
    const context = create(frame.width, frame.height);
    context.scale(SCALE, SCALE);
    context.translate(-frame.left, -frame.top);
    /** @param {Element} element @returns {[number, number, number, number]} */
    const boxOf = (element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return [left, top, width, height];
    };
    for (const line of section.querySelectorAll("line")) {
      const style = getComputedStyle(line);
      const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) => Number(line.getAttribute(name)));
      context.strokeStyle = style.stroke;
      context.lineWidth = parseFloat(style.strokeWidth);
      context.setLineDash(style.strokeDasharray === "none" ? [] : style.strokeDasharray.split(",").map(parseFloat));
      context.beginPath();
      context.moveTo(frame.left + x1, frame.top + y1);
      context.lineTo(frame.left + x2, frame.top + y2);
      context.stroke();
    }
    context.setLineDash([]);
    context.lineWidth = 2;
    for (const picture of section.querySelectorAll("canvas")) {
      const box = boxOf(picture);
      context.fillStyle = colours.drawn.paper;
      context.fillRect(...box);
      context.drawImage(picture, ...box);
      context.strokeStyle = getComputedStyle(picture).borderColor;
      context.strokeRect(...box);
    }
    for (const bias of section.querySelectorAll(".bias")) {
      const [x, y, width, height] = boxOf(bias);
      context.beginPath();
      if (getComputedStyle(bias).borderRadius === "50%") context.arc(x + width / 2, y + height / 2, width / 2, 0, 7);
      else context.rect(x, y, width, height);
      context.fillStyle = getComputedStyle(bias).backgroundColor;
      context.fill();
    }
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const text of section.querySelectorAll("h2, .name, .more")) {
      const [x, y, width, height] = boxOf(text);
      const style = getComputedStyle(text);
      context.font = `${style.fontSize} ${style.fontFamily}`;
      context.fillStyle = style.color;
      context.fillText(/** @type {HTMLElement} */ (text).innerText, x + width / 2, y + height / 2);
    }
    finish(context, "network.png");
  }

  byId("play-save-plane").addEventListener("click", savePlane);
  byId("play-save-network").addEventListener("click", saveNetwork);
}
