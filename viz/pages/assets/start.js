// @ts-check
// Begin, when every part of the page is in place.

page.emit("ready");
page.show(page.state.step, { instantly: true });
