// Joins the scripts of a live widget into the module that anywidget loads: `npm run build` writes
// `widget.min.js`, and `npm run check` fails where that file is not what the scripts make.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { minify } from "terser";

const FOLDER = new URL("../../src/treeview/static/", import.meta.url);
const TARGET = new URL("widget.min.js", FOLDER);
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
  "cells.js",
  "pictures.js",
  "widget.js",
];

const sources = FILES.map((name) => readFileSync(new URL(name, FOLDER), "utf8"));
const joined = `${sources.join("\n")}\nexport default { render: renderWidget };`;
const { code } = await minify(joined, {
  module: true,
  compress: { passes: 3, unsafe_arrows: false },
  ecma: 2020,
  format: { ascii_only: true, max_line_len: 500 },
});
if (!process.argv.includes("--check")) {
  writeFileSync(TARGET, `${code}\n`);
} else if (!existsSync(TARGET) || readFileSync(TARGET, "utf8") !== `${code}\n`) {
  console.error("widget.min.js is not what the scripts make; run `npm run build` in packages/treeview/tests/js.");
  process.exit(1);
}
