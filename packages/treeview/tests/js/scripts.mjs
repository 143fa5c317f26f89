// The scripts of a page, without a page: the parts that need no document.

import { readFileSync } from "node:fs";
import vm from "node:vm";

const FOLDER = new URL("../../src/treeview/static/", import.meta.url);
const FILES = ["model.js", "lines.js", "rows.js", "values.js", "search.js"];
const NAMES = [
  "Model", "Outline", "Stream", "Search", "parseQuery", "arrayFacts", "hasShape", "hasPath", "rowSpans", "joined", "flatSpans",
  "shortSpans", "wholeText", "samePlace", "omittedSpan", "scalarType",
];

const source = FILES.map((name) => readFileSync(new URL(name, FOLDER), "utf8")).join("\n");
export const scripts = vm.runInThisContext(`(() => {${source}\nreturn { ${NAMES.join(", ")} };})()`);

/** All lines that a reader sees, with their indentation. */
export function shownText(outline) {
  const lines = [];
  const stream = scripts.Stream.all(outline);
  while (!stream.done) {
    for (const row of stream.pull(7)) {
      const margin = "  ".repeat(Math.min(row.level, outline.deepest));
      lines.push(margin + scripts.joined(scripts.rowSpans(outline, row)));
    }
  }
  return lines.join("\n");
}
