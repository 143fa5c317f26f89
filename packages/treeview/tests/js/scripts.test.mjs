import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { scripts, shownText } from "./scripts.mjs";

const { arrayFacts, hasPath, hasShape, Model, Outline, Search, Stream, flatSpans, joined, parseQuery, samePlace, wholeText } = scripts;
const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"));

/** A payload of plain lists and scalars, as `Payload` writes it. */
function listing(value, header = {}) {
  const shapes = [];
  const lines = [];
  const write = (node) => {
    if (!Array.isArray(node)) {
      lines.push(String(node));
      return;
    }
    lines.push(`#${shapes.length}`);
    shapes.push({ head: ["[", ""], tail: ["]", ""], count: node.length, steps: "i", separator: "," });
    node.forEach(write);
  };
  write(value);
  return new Model([JSON.stringify({ shapes, leaves: [], opened: [], totals: [], ...header }), ...lines].join("\n"));
}

function searched(model, query) {
  const search = new Search(new Outline(model), query);
  while (!search.done) search.run(Infinity);
  search.close();
  return search;
}

test("what is shown reads like the text output", () => {
  for (const { payload, text } of cases) assert.equal(shownText(new Outline(new Model(payload))), text);
});

test("the whole of a plain value is its Python text", () => {
  let count = 0;
  for (const { payload, whole } of cases) {
    const { text, exact } = wholeText(new Model(payload), 0);
    if (!exact || !/^[[({'"\d-]/.test(text) || /Point|Layer/.test(text)) continue;
    assert.equal(text, whole);
    count += 1;
  }
  assert.ok(count > 40);
});

test("nodes know their parents, positions and ends", () => {
  const model = listing([1, [2, [], [3, 4]], 5]);
  assert.deepEqual([...model.up], [-1, 0, 0, 2, 2, 2, 5, 5, 0]);
  assert.deepEqual([...model.nth], [0, 0, 1, 0, 1, 2, 0, 1, 2]);
  assert.deepEqual([...model.next], [9, 2, 8, 4, 5, 8, 7, 8, 9]);
  assert.deepEqual([...model.children(2)], [3, 4, 5]);
  assert.equal(model.child(2, 2), 5);
  assert.equal(model.path(7), "[1][2][1]");
  assert.equal(model.level(7), 3);
});

test("shapes are asked for by one axis or by all of them", () => {
  const axes = ["heads:16", "embed:3072", "4"];
  for (const word of ["16", "embed", "embed:3072", "4", "16,3072,4", "(16, *, 4)", "heads,embed,*", "16x3072x4"]) {
    assert.ok(hasShape(axes, word), word);
  }
  for (const word of ["3", "307", "16,3072", "[16]", "(4)", "4,3072,16", "head"]) {
    assert.ok(!hasShape(axes, word), word);
  }
  assert.ok(hasShape([], "[]"));
  assert.ok(hasShape(["3"], "3,"));
  assert.ok(!hasShape(["3", "4"], "3,"));
});

test("element types and shapes are those that summaries of arrays say", () => {
  const leaves = [["jax.Array", "t", " ", "", "bfloat16[heads:2, 30]", "a", " [1, 2]", "a"], ["float32[2]", "s"]];
  const model = new Model([JSON.stringify({ shapes: [], leaves, opened: [], totals: [] }), "@0"].join("\n"));
  assert.deepEqual(arrayFacts(model, 0), { dtype: "bfloat16", axes: ["heads:2", "30"] });
  const other = new Model([JSON.stringify({ shapes: [], leaves, opened: [], totals: [] }), "@1"].join("\n"));
  assert.equal(arrayFacts(other, 0), null);
  assert.equal(arrayFacts(listing([1]), 1), null);
});

test("stars in paths stand for anything", () => {
  assert.ok(hasPath(".layers[12].attention.query", "layers[*].attention"));
  assert.ok(hasPath(".layers[12].attention.query", "query"));
  assert.ok(!hasPath(".layers[12].attention.query", "attention*layers"));
});

test("a search finds every node, also of several on one line", () => {
  const search = searched(listing([[1, 2, 12], [2]]), "2");
  assert.equal(search.hits.length, 1);
  assert.deepEqual(search.nodes, [3, 4, 6]);
});

test("what a roundtrip cannot write is no value", () => {
  const header = {
    shapes: [{ head: ["[", ""], tail: ["]", ""], count: 2, steps: "i", separator: "," }],
    leaves: [["<", "m", "array", "a", ">", "m"], ["numpy.array([1])", "a"]],
    opened: [],
    totals: [],
  };
  const model = new Model([JSON.stringify(header), "#0", "@0", "@1"].join("\n"));
  assert.deepEqual(wholeText(model, 0, true), { text: "[<array>, numpy.array([1])]", exact: false });
  assert.equal(wholeText(model, 2, true).exact, true);
  assert.equal(wholeText(model, 2).exact, false);
});

test("a part is found again in another document of the same value", () => {
  const model = listing([1, [2, [], [3, 4]], 5]);
  const other = listing([1, [22, [], [3, 44]], 5]);
  assert.equal(other.line(samePlace(model, 7, other)), "44");
  assert.equal(samePlace(model, 7, listing([1, [2]])), null);
});

test("queries are words, words in quotes, and words about something", () => {
  assert.deepEqual(parseQuery('Conv type:Linear -path:.body "two words" -x text:type:'), [
    { about: "text", word: "conv", not: false },
    { about: "type", word: "linear", not: false },
    { about: "path", word: ".body", not: true },
    { about: "text", word: "two words", not: false },
    { about: "text", word: "x", not: true },
    { about: "text", word: "type:", not: false },
  ]);
  assert.deepEqual(parseQuery('  "" '), []);
});

test("a search finds lines and what they stand in", () => {
  const rows = Array.from({ length: 40 }, (_, row) => Array.from({ length: 60 }, (_, at) => 20_000 + row * 1000 + at));
  const search = searched(listing(rows), "27059");
  assert.deepEqual(search.hits.length, 1);
  const outline = new Outline(search.outline.model);
  outline.kept = search.kept;
  assert.equal(shownText(outline), "[\n  [\n    27059,\n  ],\n]");
});

test("a part on one line matches as one line", () => {
  const search = searched(listing([[1, 2, 12], Array.from({ length: 99 }, () => 0), [3]]), "2");
  assert.deepEqual(search.hits, [1]);
});

test("without a match only the root is left", () => {
  const search = searched(listing(Array.from({ length: 99 }, (_, at) => at)), "nothing");
  const outline = new Outline(search.outline.model);
  outline.kept = search.kept;
  assert.equal(shownText(outline), "[\n]");
});

test("a search goes on where its time was up", () => {
  const search = new Search(new Outline(listing(Array.from({ length: 5000 }, (_, at) => at))), "4999");
  search.run(0);
  assert.ok(search.at > 0 && !search.done);
  search.run(Infinity);
  assert.equal(search.hits.length, 1);
});

test("a stream leaves a branch that was folded meanwhile", () => {
  const words = Array.from({ length: 30 }, (_, at) => `'${"word ".repeat(5)}${at}'`);
  const outline = new Outline(listing([words, 1], { all: true }));
  const stream = Stream.all(outline);
  stream.pull(5);
  assert.ok(stream.has(1));
  stream.drop(1);
  const rest = stream.pull(99).map((row) => joined(scripts.rowSpans(outline, row)));
  assert.deepEqual(rest, ["1,", "]"]);
});

test("100,000 levels neither recurse nor take long", () => {
  let value = [0];
  const lines = [];
  const shapes = [{ head: ["[", ""], tail: ["]", ""], count: 1, steps: "i", separator: "," }];
  for (let level = 0; level < 100_000; level += 1) lines.push("#0");
  const header = { shapes, leaves: [], opened: [], totals: [], all: true };
  const model = new Model([JSON.stringify(header), ...lines, "0"].join("\n"));
  const outline = new Outline(model);
  outline.folds.set(0, true);
  assert.equal(Stream.all(outline).pull(1000).length, 1000);
  assert.equal(wholeText(model, 0).text.length, 200_001);
  assert.equal(flatSpans(model, 0, 80), null);
  assert.equal(value.length, 1);
});

test("a million nodes hang together at once", () => {
  const count = 1_000_000;
  const shapes = [
    { head: ["[", ""], tail: ["]", ""], count: count / 10, steps: "i", separator: "," },
    { head: ["[", ""], tail: ["]", ""], count: 9, steps: "i", separator: ",", rows: 1 },
  ];
  const lines = ["#0"];
  for (let at = 0; at < count / 10; at += 1) lines.push("#1", ..."123456789");
  const header = { shapes, leaves: [], opened: [0, count / 10], totals: [] };
  const model = new Model([JSON.stringify(header), ...lines].join("\n"));
  assert.equal(model.path(model.child(model.child(0, 54_321), 5)), "[54321][5]");
  assert.equal(Stream.all(new Outline(model)).pull(500).length, 500);
});

test("types of scalars are read from their text", () => {
  const texts = ["1", "-2", "1.5", "nan", "1e+30", "2j", "(1+2j)", "'a'", "b'a'", "True", "None", "Ellipsis"];
  assert.deepEqual(texts.map(scripts.scalarType), [
    "int", "int", "float", "float", "float", "complex", "complex", "str", "bytes", "bool", "NoneType", "ellipsis",
  ]);
});

test("counts of what is left out are those of the text output", () => {
  assert.equal(scripts.omittedSpan(1, "items")[0], "… 1 more item");
  assert.equal(scripts.omittedSpan(1234567, "keys", false)[0], "… 1,234,567 keys");
  assert.equal(scripts.omittedSpan(null, "items")[0], "… more items");
});
