// Search. A query is words that a line must all hold; `type:Linear` asks for the type of the value,
// `path:layers[*].body` for the path that leads to it, `dtype:` and `shape:` for what an array is, and
// a minus in front of a word turns it around. Words in double quotes may hold spaces. The search goes
// through the columns of the document, not through the page, in slices short enough that the page
// never freezes.

/** @typedef {"text" | "type" | "path" | "dtype" | "shape"} Question */
/** @typedef {{about: Question, word: string, not: boolean}} Term */

const SLICE = 12; // milliseconds

/**
 * @param {string} query
 * @returns {Term[]}
 */
function parseQuery(query) {
  /** @type {Term[]} */
  const terms = [];
  for (const match of query.matchAll(/(-?)(?:(type|path|dtype|shape|text):)?(?:"([^"]*)"?|(\S+))/gi)) {
    const word = (match[3] ?? match[4] ?? "").toLowerCase();
    const about = /** @type {Question} */ (match[2]?.toLowerCase() ?? "text");
    if (word !== "") terms.push({ about, word, not: match[1] === "-" });
  }
  return terms;
}

/**
 * Element type and axes of an array, from its summary such as `float32[rows:3, 4]`.
 * @param {Model} model
 * @param {number} at
 * @returns {{dtype: string, axes: string[]} | null}
 */
function arrayFacts(model, at) {
  const first = model.line(at).charCodeAt(0);
  if (first !== BRANCH && first !== LEAF) return null;
  const summary = model.spans(at).find(([, style]) => style === "a")?.[0] ?? "";
  const found = /^([\w.<>]+)\[(.*)\]$/.exec(summary.trim().toLowerCase());
  return found && { dtype: found[1] ?? "", axes: found[2] === "" ? [] : (found[2] ?? "").split(", ") };
}

/**
 * Whether axes are those asked for: `16,*` for all of them in order, `16` or `embed` for one of them.
 * @param {string[]} axes
 * @param {string} word
 */
function hasShape(axes, word) {
  /** @type {(axis: string, wanted: string) => boolean} */
  const isAxis = (axis, wanted) =>
    wanted === "*" || axis === wanted || axis.split(":").includes(wanted);
  const inside = /^[[(](.*)[\])]$/.exec(word)?.[1];
  const isBySizes = /^[\d*]+(x[\d*]+)+$/.test(word);
  const parts = (inside ?? word).split(isBySizes ? "x" : ",").map((part) => part.trim());
  const wanted = parts.filter((part) => part !== "");
  if (inside === undefined && parts.length === 1) return axes.some((axis) => isAxis(axis, word));
  return wanted.length === axes.length && wanted.every((part, at) => isAxis(axes[at] ?? "", part));
}

/**
 * Whether a path holds a text, in which stars stand for anything.
 * @param {string} path
 * @param {string} word
 */
function hasPath(path, word) {
  let place = 0;
  for (const part of word.split("*")) {
    place = path.indexOf(part, place);
    if (place < 0) return false;
    place += part.length;
  }
  return true;
}

/**
 * What a node is called and shows, in lower case: its label and its text, or the head of a branch.
 * @param {Model} model
 * @param {number} at
 */
function searchedText(model, at) {
  const parent = model.up[at];
  const label = parent < 0 ? "" : joined(model.label(parent, model.nth[at]));
  const line = model.line(at);
  const kind = line.charCodeAt(0);
  const note = kind === BRANCH ? joined(spansOf(model.shape(at).note ?? [])) : "";
  const value = kind === BRANCH || kind === LEAF ? `${joined(model.spans(at))} ${note}` : line;
  // A key in quotes is found without them, too.
  const bare = /^['"]/.test(label) ? label.replace(/^(['"])(.*)\1/, "$2") : "";
  return (bare ? `${label}${value}\n${bare}${value}` : label + value).toLowerCase();
}

/**
 * Whether a node satisfies all terms.
 * @param {Model} model
 * @param {number} at
 * @param {Term[]} terms
 * @param {string | null} path
 */
function matches(model, at, terms, path) {
  /** @type {string | undefined} */
  let text;
  return terms.every(({ about, word, not }) => {
    let found = false;
    if (about === "path") found = path !== null && hasPath(path.toLowerCase(), word);
    else if (about === "type") found = model.typeName(at).toLowerCase().includes(word);
    else if (about === "dtype") found = arrayFacts(model, at)?.dtype.startsWith(word) ?? false;
    else if (about === "shape") found = hasShape(arrayFacts(model, at)?.axes ?? [], word);
    else found = (text ??= searchedText(model, at)).includes(word);
    return found !== not;
  });
}

class Search {
  /**
   * @param {Outline} outline
   * @param {string} query
   */
  constructor(outline, query) {
    this.outline = outline;
    this.terms = parseQuery(query);
    this.at = 0;
    /** @type {number[]} The lines that match, in reading order. */
    this.hits = [];
    /** @type {number[]} The nodes that match, of which several may stand on a line. */
    this.nodes = [];
    this.kept = new Uint8Array(outline.model.size);
    /** @type {{end: number, path: string | null}[]} The branches that the search is in. */
    this.above = [];
    /** The node after the branch that stands on one line, and the line of that branch. */
    this.flatEnd = 0;
    this.flatAt = 0;
  }

  get done() {
    return this.at >= this.outline.model.size;
  }

  /**
   * Searches on for some time.
   * @param {number} until A time as `performance.now` tells it.
   */
  run(until) {
    for (let count = 0; !this.done; count += 1) {
      if (count % 256 === 255 && performance.now() > until) return;
      this.look();
    }
  }

  /** Without a match, nothing but the root is left. */
  close() {
    if (this.outline.model.isBranch(0)) this.kept[0] |= AROUND;
  }

  /** Looks at one node. */
  look() {
    const { model } = this.outline;
    const { at } = this;
    this.at += 1;
    while (this.above.length > 0 && at >= this.above[this.above.length - 1].end) {
      this.above.pop();
    }
    const parent = this.above[this.above.length - 1];
    const asksPath = this.terms.some(({ about }) => about === "path");
    let path = null;
    if (asksPath && parent === undefined) path = model.header.root ?? "";
    else if (asksPath && parent?.path !== null) {
      const step = model.step(at);
      path = step === null ? null : `${parent?.path}${step}`;
    }
    const isInFlat = at < this.flatEnd;
    if (model.isBranch(at)) {
      if (!isInFlat && this.outline.flat(at, this.above.length) !== null) {
        this.flatEnd = model.next[at];
        this.flatAt = at;
      }
      this.above.push({ end: model.next[at], path });
    }
    if (!matches(model, at, this.terms, path)) return;
    this.nodes.push(at);
    const hit = at < this.flatEnd ? this.flatAt : at;
    if (this.hits[this.hits.length - 1] === hit) return;
    this.hits.push(hit);
    this.kept[hit] = this.kept[hit] | HIT;
    for (const above of model.ancestors(hit)) {
      if (this.kept[above] & AROUND) break;
      this.kept[above] = this.kept[above] | AROUND;
    }
  }
}

/**
 * Marks the words that were searched for in a line, where the browser can do so without touching
 * the page.
 * @param {HTMLElement} element
 * @param {string[]} words
 * @param {Highlight} found
 */
function highlightWords(element, words, found) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  /** @type {{node: Text, start: number}[]} */
  const pieces = [];
  let text = "";
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!(node instanceof Text) || node.parentElement?.closest("[data-v]")) continue;
    pieces.push({ node, start: text.length });
    text += node.data.toLowerCase();
  }
  /** @type {(range: Range, place: number, isEnd: boolean) => void} */
  const put = (range, place, isEnd) => {
    const piece = pieces.findLast(({ start }) => (isEnd ? start < place : start <= place));
    if (!piece) return;
    const offset = Math.min(place - piece.start, piece.node.length);
    if (isEnd) range.setEnd(piece.node, offset);
    else range.setStart(piece.node, offset);
  };
  for (const word of words) {
    for (let place = text.indexOf(word); place >= 0; place = text.indexOf(word, place + word.length)) {
      const range = new Range();
      put(range, place, false);
      put(range, place + word.length, true);
      found.add(range);
    }
  }
}
