// @ts-check
// The playground: this script opens the page. Python wrote every word.

{
  /** @param {boolean} dark */
  function setTheme(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    byId("page-dark").setAttribute("aria-pressed", dark);
    colours.read();
    planes.drawInputs();
    planes.drawAll();
  }
  byId("page-dark").addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  prefersDark.addEventListener("change", () => setTheme(prefersDark.matches));

  structure.show();
  planes.showAxes();
  setTheme(prefersDark.matches);
  player.reset();
  const here = shown.curve[0].training.loss ?? 0;
  byId("page-differs").hidden = Math.abs(here - data.first) <= 1e-9 * Math.max(1, Math.abs(data.first));
  byId("play-here").textContent = String(here);
  byId("play-recorded").textContent = String(data.first);
  changes.accept();
  link.read().then(() => {
    changes.accept();
    document.body.dataset.ready = "";
  });
}
