// Joins the scripts of a page and makes them short: `npm run build` writes `tree.min.js`, which is
// what pages carry, and `npm run check` fails where that file is not what the scripts make.

import { readFileSync, writeFileSync } from "node:fs";
import { minify } from "terser";

const FOLDER = new URL("../../src/treeview/static/", import.meta.url);
const TARGET = new URL("tree.min.js", FOLDER);
// What a file uses of another one stands before it.
const FILES = [
  "model.js",
  "lines.js",
  "rows.js",
  "values.js",
  "search.js",
  "view.js",
  "bar.js",
  "keys.js",
  "actions.js",
  "frames.js",
  "main.js",
];

const sources = FILES.map((name) => readFileSync(new URL(name, FOLDER), "utf8"));
const joined = `(() => {"use strict";\n${sources.join("\n")}})();`;
const options = { compress: { passes: 3 }, ecma: 2020, format: { ascii_only: true, max_line_len: 500 } };
const { code } = await minify(joined, options);
if (!process.argv.includes("--check")) {
  writeFileSync(TARGET, `${code}\n`);
} else if (readFileSync(TARGET, "utf8") !== `${code}\n`) {
  console.error("tree.min.js is not what the scripts make; run `npm run build` in packages/treeview/tests/js.");
  process.exit(1);
}
