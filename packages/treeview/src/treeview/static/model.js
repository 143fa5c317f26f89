// A document as the payload holds it: one line per node in reading order. The lines stay strings;
// three columns of integers say how they hang together, so that a million nodes take little room.

/**
 * Styled text: a text and the letter of its style.
 * @typedef {[string, string]} Span
 */

/**
 * What branches that look alike have in common.
 * @typedef {object} Shape
 * @property {string[]} head Texts and letters in turn.
 * @property {string[]} tail
 * @property {number} count How many children there are.
 * @property {string | (string | string[])[]} [labels] Scalars by line, or each a scalar or styled.
 * @property {string} [joint]
 * @property {string | (string | null)[]} [steps] A rule, or the step to each child.
 * @property {string} [separator]
 * @property {number | null} [omitted] How many children are left out; null if nobody knows.
 * @property {string} [name] What children are called when they are counted.
 * @property {string[]} [note]
 * @property {string[]} [folded]
 * @property {string} [color]
 * @property {boolean} [opened]
 * @property {number} [number] By which references name the branch.
 * @property {number} [rows] 1 where several children stand on a line.
 * @property {number} [apart] 1 where the branch never stands on one line in full.
 */

/** @typedef {{text: string[], view?: number, open?: 1, to?: number}} Special */

/**
 * @typedef {object} Header
 * @property {Shape[]} shapes
 * @property {(string[] | Special)[]} leaves
 * @property {number[]} opened
 * @property {(number | string)[]} totals
 * @property {boolean} [all] Whether everything opens that does not fit on a line.
 * @property {number} [width]
 * @property {number | null} [stretch]
 * @property {number} [least] From so many branches on, there is a bar.
 * @property {string} [root]
 * @property {string} [reason] Why there is no roundtrip.
 * @property {string} [wide]
 * @property {string} [zero]
 */

const BRANCH = 35; // #
const LEAF = 64; // @

const CHARACTERS = 500_000; // that are split into lines, or about so many
const NODES = 100_000; // that are connected, before others have their turn

class Model {
  /**
   * @param {string} text A payload.
   * @param {boolean} [isLazy] Whether it is read later, by `reading`.
   */
  constructor(text, isLazy = false) {
    const start = text.indexOf("\n") + 1;
    /** @type {Header} */
    this.header = JSON.parse(start > 0 ? text.slice(0, start) : text);
    /** @type {string[]} */
    this.lines = [];
    this.size = 0;
    /** Where the node after all descendants is. */
    this.next = new Int32Array(0);
    /** The parent, or -1. */
    this.up = this.next;
    /** The position among the children of the parent. */
    this.nth = this.next;
    this.branches = 0;
    /** @type {Map<number, number>} Branches by the number that references use. */
    this.targets = new Map();
    /** @type {Map<number, string>} */
    this.totals = new Map();
    for (let at = 0; at + 1 < this.header.totals.length; at += 2) {
      this.totals.set(Number(this.header.totals[at]), String(this.header.totals[at + 1]));
    }
    this.wide = new Set(this.header.wide ?? "");
    this.zero = new Set(this.header.zero ?? "");
    /** @type {Map<Shape, string[]>} */
    this.split = new Map();
    this.steps = this.reading(text, start);
    if (!isLazy) for (const _ of this.steps);
  }

  /**
   * A model of any size, made in pieces so short that the page does not freeze.
   * @param {string} text A payload.
   * @returns {Promise<Model>}
   */
  static async load(text) {
    const model = new Model(text, true);
    for (const _ of model.steps) await new Promise((resolve) => setTimeout(resolve, 0));
    return model;
  }

  /**
   * Splits a payload into lines and finds out how these hang together.
   * @param {string} text
   * @param {number} start Where its second line begins; 0 where there is none.
   * @returns {Generator<void, void, void>}
   */
  *reading(text, start) {
    for (let from = start; from > 0 && from <= text.length; ) {
      const end = text.indexOf("\n", from + CHARACTERS);
      const stop = end < 0 ? text.length : end;
      for (const line of text.slice(from, stop).split("\n")) this.lines.push(line);
      from = stop + 1;
      if (from <= text.length) yield;
    }
    this.size = this.lines.length;
    this.next = new Int32Array(this.size);
    this.up = new Int32Array(this.size);
    this.nth = new Int32Array(this.size);
    yield* this.connecting();
  }

  /** Finds out how the lines hang together. */
  *connecting() {
    /** @type {number[]} */
    const branches = [];
    /** @type {number[]} */
    const left = [];
    for (let at = 0; at < this.size; at += 1) {
      if (at % NODES === NODES - 1) yield;
      const depth = branches.length - 1;
      if (depth < 0) {
        this.up[at] = -1;
      } else {
        const parent = branches[depth];
        this.up[at] = parent;
        this.nth[at] = this.shape(parent).count - left[depth];
        left[depth] -= 1;
      }
      this.next[at] = at + 1;
      if (this.line(at).charCodeAt(0) === BRANCH) {
        const shape = this.shape(at);
        this.branches += 1;
        if (shape.number && !this.targets.has(shape.number)) this.targets.set(shape.number, at);
        if (shape.count > 0) {
          branches.push(at);
          left.push(shape.count);
        }
      }
      while (left.length > 0 && left[left.length - 1] === 0) {
        left.pop();
        this.next[branches.pop() ?? 0] = at + 1;
      }
    }
  }

  /** @param {number} at */
  line(at) {
    return this.lines[at] ?? "";
  }

  /** @param {number} at */
  isBranch(at) {
    return this.line(at).charCodeAt(0) === BRANCH;
  }

  /**
   * @param {number} at A branch.
   * @returns {Shape}
   */
  shape(at) {
    return this.header.shapes[Number(this.line(at).slice(1))] ?? { head: [], tail: [], count: 0 };
  }

  /**
   * @param {number} at
   * @returns {Special | null} What a link, a picture or rich output needs; null for other nodes.
   */
  special(at) {
    if (this.line(at).charCodeAt(0) !== LEAF) return null;
    const leaf = this.header.leaves[Number(this.line(at).slice(1))];
    return leaf === undefined || Array.isArray(leaf) ? null : leaf;
  }

  /**
   * The children of a branch.
   * @param {number} at
   */
  *children(at) {
    for (let child = at + 1; child < this.next[at]; child = this.next[child]) yield child;
  }

  /**
   * The child at some position.
   * @param {number} at A branch.
   * @param {number} position
   */
  child(at, position) {
    if (this.next[at] === at + 1 + this.shape(at).count) return at + 1 + position;
    let child = at + 1;
    for (let passed = 0; passed < position; passed += 1) child = this.next[child];
    return child;
  }

  /**
   * How many branches a node is in.
   * @param {number} at
   */
  level(at) {
    let level = 0;
    for (let above = this.up[at]; above >= 0; above = this.up[above]) level += 1;
    return level;
  }

  /**
   * The branches that a node is in, innermost first.
   * @param {number} at
   */
  *ancestors(at) {
    for (let above = this.up[at]; above >= 0; above = this.up[above]) yield above;
  }

  /**
   * The label of a child and its joint.
   * @param {number} at A branch.
   * @param {number} position
   * @returns {Span[]}
   */
  label(at, position) {
    const shape = this.shape(at);
    const label = this.labelOf(shape, position);
    if (label === undefined) return [];
    const spans = typeof label === "string" ? [scalarSpan(label)] : spansOf(label);
    if (spans.length > 0 && shape.joint) spans.push([shape.joint, ""]);
    return spans;
  }

  /**
   * @param {Shape} shape
   * @param {number} position
   * @returns {string | string[] | undefined}
   */
  labelOf(shape, position) {
    if (typeof shape.labels !== "string") return shape.labels?.[position];
    let lines = this.split.get(shape);
    if (lines === undefined) {
      lines = shape.labels.split("\n");
      this.split.set(shape, lines);
    }
    return lines[position];
  }

  /**
   * The Python text of the step from a parent to a node, or null where no expression leads there.
   * @param {number} at
   * @returns {string | null}
   */
  step(at) {
    const shape = this.shape(this.up[at]);
    const position = this.nth[at];
    const label = () => {
      const found = this.labelOf(shape, position) ?? "";
      return typeof found === "string" ? found : joined(spansOf(found));
    };
    if (shape.steps === "i") return `[${position}]`;
    if (shape.steps === "k") return `[${label()}]`;
    if (shape.steps === "a") return `.${label()}`;
    return Array.isArray(shape.steps) ? (shape.steps[position] ?? null) : null;
  }

  /**
   * The path from the root to a node as Python text, or null where no expression leads there.
   * @param {number} at
   * @returns {string | null}
   */
  path(at) {
    const steps = [];
    for (let below = at; this.up[below] >= 0; below = this.up[below]) {
      const step = this.step(below);
      if (step === null) return null;
      steps.push(step);
    }
    return (this.header.root ?? "") + steps.reverse().join("");
  }

  /**
   * A node without children as styled text; of a branch, its head.
   * @param {number} at
   * @returns {Span[]}
   */
  spans(at) {
    const line = this.line(at);
    const kind = line.charCodeAt(0);
    if (kind === BRANCH) return spansOf(this.shape(at).head);
    if (kind !== LEAF) return [scalarSpan(line)];
    const leaf = this.header.leaves[Number(line.slice(1))] ?? [];
    return spansOf(Array.isArray(leaf) ? leaf : leaf.text);
  }

  /**
   * The name of the type of a node, as far as it is known.
   * @param {number} at
   */
  typeName(at) {
    const line = this.line(at);
    const kind = line.charCodeAt(0);
    if (kind !== BRANCH && kind !== LEAF) return scalarType(line);
    const spans = this.spans(at);
    const named = spans.find(([, style]) => style === "t");
    if (named || kind === LEAF) return named?.[0] ?? "";
    const head = joined(spans);
    if (head === "{") return this.shape(at).joint ? "dict" : "set";
    return PLAIN_TYPES[head] ?? head;
  }

  /**
   * How many columns a text takes.
   * @param {string} text
   */
  width(text) {
    if (/^[\x20-\x7e]*$/.test(text)) return text.length;
    let columns = 0;
    for (const character of text) {
      columns += this.wide.has(character) ? 2 : this.zero.has(character) ? 0 : 1;
    }
    return columns;
  }

  /** @param {Span[]} spans */
  spansWidth(spans) {
    return this.width(joined(spans));
  }
}

/** @type {Record<string, string>} */
const PLAIN_TYPES = { "[": "list", "(": "tuple" };

/** @param {Span[]} spans */
const joined = (spans) => spans.map(([text]) => text).join("");

/**
 * @param {string[]} flat Texts and letters in turn.
 * @returns {Span[]}
 */
function spansOf(flat) {
  /** @type {Span[]} */
  const spans = [];
  for (let at = 0; at < flat.length; at += 2) spans.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  return spans;
}

/**
 * The type of a scalar, from the way Python writes it.
 * @param {string} text
 */
function scalarType(text) {
  if (/^(b?['"])/.test(text)) return text.startsWith("b") ? "bytes" : "str";
  if (text === "True" || text === "False") return "bool";
  if (text === "None") return "NoneType";
  if (text === "Ellipsis") return "ellipsis";
  if (text.endsWith("j") || text.endsWith("j)")) return "complex";
  return /^-?\d+$/.test(text) ? "int" : "float";
}

/**
 * A scalar as styled text.
 * @param {string} text
 * @returns {Span}
 */
function scalarSpan(text) {
  if (/^b?['"]/.test(text)) return [text, "s"];
  return [text, /^[NTFE]/.test(text) ? "k" : "n"];
}
