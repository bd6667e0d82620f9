// @ts-check
// The help: keys, legend, and for teachers what the page shows.

{
  const dialog = /** @type {HTMLDialogElement} */ (part("keys"));
  COMMANDS.help = () => {
    part("menu").hidePopover?.();
    dialog.showModal();
  };
  KEYS["?"] = "help";
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // its keys are not those of the page
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // a click outside
  });
}
