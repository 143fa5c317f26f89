// Joins the scripts of a page and makes them short: `npm run build` writes `tree.min.js` and
// `pictures.min.js`, which is what pages carry, and `npm run check` fails where one of these files is
// not what the scripts make.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { minify } from "terser";

const FOLDER = new URL("../../src/treeview/static/", import.meta.url);
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

const PICTURE_FILES = ["cells.js", "pictures.js"];

const options = { compress: { passes: 3 }, ecma: 2020, format: { ascii_only: true, max_line_len: 500 } };

/**
 * Writes one script, or compares it with what is there.
 * @param {string} target
 * @param {string[]} files
 */
async function build(target, files) {
  const sources = files.map((name) => readFileSync(new URL(name, FOLDER), "utf8"));
  const { code } = await minify(`(() => {"use strict";\n${sources.join("\n")}})();`, options);
  const place = new URL(target, FOLDER);
  if (!process.argv.includes("--check")) {
    writeFileSync(place, `${code}\n`);
  } else if (!existsSync(place) || readFileSync(place, "utf8") !== `${code}\n`) {
    console.error(`${target} is not what the scripts make; run \`npm run build\` in packages/treeview/tests/js.`);
    process.exit(1);
  }
}

await build("tree.min.js", FILES);
await build("pictures.min.js", PICTURE_FILES);
await build("attention.min.js", ["attention.js"]);
