// Runs a Python program in Pyodide, Python compiled to WebAssembly:
// node browser.mjs PYODIDE PROJECT PACKAGES PROGRAM
import { pathToFileURL } from "node:url";

const [pyodide, project, packages, program] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(pyodide));
const python = await loadPyodide();
for (const [folder, root] of [["/project", project], ["/packages", packages]]) {
  python.FS.mkdirTree(folder);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, folder);
}
python.runPython("import sys; sys.dont_write_bytecode = True; sys.path[:0] = ['/project', '/packages']");
python.runPython(program);
