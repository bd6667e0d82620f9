// @ts-check
// A state as text after the `#` of an address, compressed, and text for the clipboard.

const MAX_LINK = 20_000; // characters
const MAX_STATE = 200_000; // bytes

/** @param {string} base64 */
const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** @param {Uint8Array<ArrayBuffer>} bytes that were compressed by "deflate-raw" */
const decompress = (bytes) => new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));

/** @param {string} text */
async function packState(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const characters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} packed @returns {Promise<any>} the state; null if the text is damaged or too long */
async function unpackState(packed) {
  if (!/^[\w-]+$/.test(packed) || packed.length > MAX_LINK) return null;
  try {
    const reader = decompress(bytesOf(packed.replaceAll("-", "+").replaceAll("_", "/"))).getReader();
    const decoder = new TextDecoder();
    let [text, size] = ["", 0];
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      size += chunk.value.length;
      if (size > MAX_STATE) {
        await reader.cancel(); // a short text can expand to gigabytes
        return null;
      }
      text += decoder.decode(chunk.value, { stream: true });
    }
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Copy text to the clipboard, and mark the button for a moment; a page in a file or a frame may only have the old way.
 * @param {string} text
 * @param {HTMLElement} button
 */
async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.dataset.done = "true";
  setTimeout(() => delete button.dataset.done, 1500);
}
