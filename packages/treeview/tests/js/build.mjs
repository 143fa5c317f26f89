// Joins scripts and makes them short: `npm run build` writes what pages carry (`tree.min.js`,
// `pictures.min.js`, `attention.min.js`) and the module that anywidget loads (`widget.min.js`), and
// `npm run check` fails where one of these files is not what the scripts make.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { minify } from "terser";

const FOLDER = new URL("../../src/treeview/static/", import.meta.url);
// What a file uses of another one stands before it.
const TREE = [
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
];
const PICTURES = [
  "cells.js",
  "places.js",
  "decimals.js",
  "scales.js",
  "sources.js",
  "spots.js",
  "recolor.js",
  "paint.js",
  "sliders.js",
  "zoom.js",
  "pictures.js",
];
const WIDGET = [
  "live_model.js",
  "live_view.js",
  "live_figures.js",
  "live_search.js",
  "live_bar.js",
  "live_copy.js",
  "live_choosing.js",
  "live.js",
  "widget.js",
];

const format = { ascii_only: true, max_line_len: 500 };
const PAGE = { compress: { passes: 3 }, ecma: 2020, format };
const MODULE = { module: true, compress: { passes: 3, unsafe_arrows: false }, ecma: 2020, format };

/** @param {string[]} files */
function joined(files) {
  return files.map((name) => readFileSync(new URL(name, FOLDER), "utf8")).join("\n");
}

/**
 * Writes one script, or compares it with what is there.
 * @param {string} target
 * @param {string} source
 * @param {import("terser").MinifyOptions} options
 */
async function build(target, source, options) {
  const { code } = await minify(source, options);
  const place = new URL(target, FOLDER);
  if (!process.argv.includes("--check")) {
    writeFileSync(place, `${code}\n`);
  } else if (!existsSync(place) || readFileSync(place, "utf8") !== `${code}\n`) {
    console.error(`${target} is not what the scripts make; run \`npm run build\` in packages/treeview/tests/js.`);
    process.exit(1);
  }
}

for (const [target, files] of Object.entries({
  "tree.min.js": [...TREE, "main.js"],
  "pictures.min.js": PICTURES,
  "attention.min.js": ["attention.js"],
})) {
  await build(target, `(() => {"use strict";\n${joined(files)}})();`, PAGE);
}
const widget = joined([...TREE, ...PICTURES, ...WIDGET]);
await build("widget.min.js", `${widget}\nexport default { render: renderWidget };`, MODULE);
