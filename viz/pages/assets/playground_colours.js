// @ts-check
// Colours: from orange over the paper's to blue, and one for each class; the marks of the classes.

const colours = (() => {
  const marks = [
    "M-4 0a4 4 0 1 1 8 0a4 4 0 1 1 -8 0z", "M-3.6-3.6H3.6V3.6H-3.6z", "M0-4.8L4.6 3.4H-4.6z", "M0-5L4 0L0 5L-4 0z",
    "M0 4.8L4.6-3.4H-4.6z", "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5z",
    "M0-5L1.4-1.6L5-1.5L2.2.8L3.1 4.4L0 2.4L-3.1 4.4L-2.2.8L-5-1.5L-1.4-1.6z",
    "M-4.4-1.6L-1.6-4.4L0-2.2L1.6-4.4L4.4-1.6L2.2 0L4.4 1.6L1.6 4.4L0 2.2L-1.6 4.4L-4.4 1.6L-2.2 0z",
  ];

  const shades = new Uint32Array(256);
  /** @param {string} colour such as "#d55e00" */
  const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  /** @param {number[]} from @param {number[]} to @param {number} t */
  const mixed = (from, to, t) => from.map((x, i) => Math.round(x + t * (to[i] - x)));
  /** @param {number[]} rgb */
  const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

  const drawn = { ink: "", paper: "", classes: /** @type {number[][]} */ ([]) };

  /** Read the colours of the page, light or dark. */
  function read() {
    const style = getComputedStyle(document.documentElement);
    const [blue, orange, back] = ["--blue", "--orange", "--paper"].map((name) => channels(style.getPropertyValue(name).trim()));
    drawn.ink = style.getPropertyValue("--ink").trim();
    drawn.paper = style.getPropertyValue("--paper").trim();
    for (let i = 0; i < 256; i++) {
      const t = (2 * i) / 255 - 1;
      shades[i] = pixel(mixed(back, t < 0 ? orange : blue, 0.85 * Math.abs(t)));
    }
    drawn.classes = data.colours.map(channels);
    if (training.data.task !== "classes") drawn.classes = [orange, blue];
    readMarks();
  }

  /** Draw the marks of the classes that stand beside their names. */
  function readMarks() {
    for (const path of all("path[data-class]")) {
      path.setAttribute("d", marks[path.dataset.class]);
      path.setAttribute("fill", `rgb(${drawn.classes[path.dataset.class]})`);
    }
  }

  /** @param {number} t from -1 to 1 */
  const shade = (t) => shades[clamp(Math.round(127.5 * (t + 1)), 0, 255)] || shades[127];

  return { drawn, marks, channels, mixed, pixel, read, readMarks, shade };
})();
