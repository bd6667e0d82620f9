// @ts-check
// Runs examples in Pyodide, Python compiled to WebAssembly, which lies beside this file.
import { loadPyodide } from "./pyodide.mjs";

const session = (async () => {
  const python = await loadPyodide();
  const packages = await fetch(new URL("packages.zip", import.meta.url));
  python.unpackArchive(await packages.arrayBuffer(), "zip", { extractDir: "/packages" });
  python.runPython("import sys; sys.path.insert(0, '/packages')");
  return python.pyimport("session");
})();

onmessage = async ({ data: { id, package: package_, name, cells } }) => {
  try {
    const outputs = (await session).run(package_, name, JSON.stringify(cells));
    postMessage({ id, outputs: JSON.parse(outputs) });
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
};
