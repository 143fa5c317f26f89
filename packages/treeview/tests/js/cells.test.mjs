import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";
import { inflateSync } from "node:zlib";

const NAMES = [
  "readCells", "valueText", "cellValue", "sideLevels", "sideLength", "indicesAt", "startOf", "cellNumber",
  "cellIndices", "placeText", "itemsText", "indexText", "colorText", "realText", "pythonFloat", "spreadFor",
  "spreadPlace", "isMasked",
];
const FOLDER = new URL("../../src/treeview/static/", import.meta.url);
const FILES = ["cells.js", "places.js", "decimals.js", "scales.js"];
const source = FILES.map((name) => readFileSync(new URL(name, FOLDER), "utf8")).join("\n");
const cells = vm.runInThisContext(`(() => {${source}\nreturn { ${NAMES.join(", ")} };})()`);
const { values, places } = JSON.parse(readFileSync(new URL("pictures.json", import.meta.url), "utf8"));

/** The data of a picture and its grid. */
function unpacked(text) {
  const data = cells.readCells(new Uint8Array(inflateSync(Buffer.from(text, "base64"))));
  return { data, grid: data.header.views[0].grids[0] };
}

for (const { name, data: text, texts } of values) {
  test(`values of ${name} are written as Python writes them`, () => {
    const { data, grid } = unpacked(text);
    const wrong = texts.filter((expected, at) => cells.valueText(data, grid, at) !== expected);
    assert.deepEqual(wrong.slice(0, 5), []);
  });
}

test("every pixel of a cell knows its indices, and every other pixel none", () => {
  for (const { data: text, size, at, where } of places) {
    const { grid } = unpacked(text);
    const [rows, columns] = [cells.sideLevels(grid, grid.rows), cells.sideLevels(grid, grid.columns)];
    assert.deepEqual([cells.sideLength(rows, grid.cell), cells.sideLength(columns, grid.cell)], size);
    const count = grid.columns.reduce((product, axis) => product * grid.axes[axis][2], 1);
    at.forEach((place, number) => {
      const [row, column] = [Math.floor(place / count), place % count];
      const x = cells.startOf(columns, column) + Math.floor(grid.cell / 2);
      const y = cells.startOf(rows, row);
      const indices = new Map([...cells.indicesAt(rows, y, grid.cell), ...cells.indicesAt(columns, x, grid.cell)]);
      const shown = grid.axes.map((axis, axisNumber) => Number(cells.indexText(axis, indices.get(axisNumber))));
      assert.deepEqual(shown, where[number]);
      assert.equal(cells.cellNumber(rows, indices), row);
      assert.deepEqual(new Map(cells.cellIndices(columns, column)), cells.indicesAt(columns, x, grid.cell));
    });
    const inside = Array.from({ length: size[1] }, (_, x) => cells.indicesAt(columns, x, grid.cell));
    const whole = inside.filter((found) => found && ![...found.values()].includes(-1));
    assert.equal(whole.length, count * grid.cell);
  }
});

test("places are written by position, by name, or both, and ranges for what is left out", () => {
  const axes = [["batch", "batch", 2, 0, 0], [null, "axis 0", 4, 2, 90, [], ["a", "b", "c", "d"]]];
  const grid = { axes, rows: [0], columns: [1], cell: 1 };
  assert.equal(cells.placeText(grid, new Map([[0, 1], [1, 3]])), "{batch: 1}[93]");
  assert.equal(cells.placeText(grid, new Map([[0, 1], [1, -1]])), "{batch: 1}[2:92]");
  assert.equal(cells.placeText({ ...grid, part: "x" }, new Map([[0, 0], [1, 1]])), "['x']{batch: 0}[1]");
  assert.equal(cells.itemsText(grid, new Map([[0, 1], [1, 3]])), " · axis 0: d");
});

test("a chosen magnitude gets a colour half way out, and even steps stay where that is farther", () => {
  for (const magnitude of [1e-30, 1e-9, 0.01, 0.2]) {
    const spread = cells.spreadFor(magnitude, 1);
    assert.ok(Math.abs(cells.spreadPlace(magnitude, 1, spread) - 0.5) < 1e-6);
    assert.equal(cells.spreadPlace(-2, 1, spread), -1);
  }
  assert.equal(cells.spreadFor(0.7, 1), Infinity);
  assert.equal(cells.spreadFor(0, 1), Infinity);
  assert.equal(cells.spreadPlace(0.25, 1, Infinity), 0.25);
});

test("a colour tells about which value it stands for, and marks what they are", () => {
  const data = { header: { tables: ["000000808080ffffff"] } };
  const grid = { scale: [0, -1, 3, 1, 0] };
  assert.equal(cells.colorText(data, grid, [128, 128, 128]), "≈ 1");
  assert.equal(cells.colorText(data, grid, [0, 0, 0]), "≈ -1 or less");
  assert.equal(cells.colorText(data, grid, [20, 20, 20]), "nan");
  assert.equal(cells.colorText(data, grid, [60, 0, 90]), "-inf");
  assert.equal(cells.colorText(data, grid, [1, 2, 3]), null);
});
