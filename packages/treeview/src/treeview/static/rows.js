// Which lines there are, given what is open: the outline keeps what the reader chose, a stream
// yields line by line what then is to be seen. Streams stop after some hundreds of lines and go on
// where they stopped, so that a branch of a million children opens at once.

/**
 * A line to be shown.
 * @typedef {object} Row
 * @property {"node" | "cells" | "tail" | "rest" | "before"} kind
 * @property {number} at The node; for the lines that end a branch or count its children, the branch.
 * @property {number} level How many branches it is in.
 * @property {boolean} [open] Whether its children follow; undefined where it cannot be folded.
 * @property {Span[]} [flat] The whole of a branch that fits on its line.
 * @property {number} [start] The first child on a line of several, or how many are left out before.
 * @property {number} [stop] The child after the last one on a line of several.
 */

const HIT = 1;
const AROUND = 2;
const LEAST_SPACE = 40;
const LOOK = 200;

class Outline {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.width = model.header.width ?? 100;
    /** The level from which on lines are no further indented. */
    this.deepest = Math.max(Math.floor((this.width - LEAST_SPACE) / 2), 2);
    /** @type {Map<number, boolean>} What the reader folded and unfolded. */
    this.folds = new Map();
    /** @type {Map<number, number>} How many children of a branch are in view, where not all. */
    this.shown = new Map();
    /** @type {Map<number, number>} The first child in view, where others come before. */
    this.from = new Map();
    /** @type {Map<number, number>} How many children come before those that the model holds. */
    this.missing = new Map();
    /** @type {Set<number>} Branches with all of their children in view. */
    this.whole = new Set();
    /** @type {number | null} Branches above this level are open; null for what the page says. */
    this.depth = null;
    /** @type {Uint8Array | null} While lines are filtered: which match, and which are around. */
    this.kept = null;
    this.opened = new Set();
    const opened = model.header.opened;
    for (let at = 0; at + 1 < opened.length; at += 2) {
      this.opened.add(opened[at]);
      this.shown.set(opened[at], opened[at + 1]);
    }
  }

  /**
   * Columns that a line has for a node beside its label and its separator.
   * @param {number} at
   * @param {number} level
   */
  room(at, level) {
    const { model } = this;
    const parent = model.up[at];
    const space = this.width - 2 * Math.min(level, this.deepest);
    if (parent < 0) return space;
    const label = model.spansWidth(model.label(parent, model.nth[at]));
    return space - label - separatorOf(model.shape(parent)).length;
  }

  /**
   * A branch on one line, if it fits there and needs no line of its own.
   * @param {number} at
   * @param {number} level
   * @returns {Span[] | null}
   */
  flat(at, level) {
    const { model } = this;
    const spans = flatSpans(model, at, this.room(at, level));
    if (spans === null) return null;
    const stop = Math.min(model.next[at], at + LOOK);
    for (let inner = at + 1; inner < stop; inner += 1) {
      if (model.special(inner) !== null) return null;
    }
    return spans;
  }

  /**
   * Whether the children of a branch follow its line.
   * @param {number} at
   * @param {number} level
   * @param {boolean} fits Whether it fits on one line.
   */
  isOpen(at, level, fits) {
    const chosen = this.folds.get(at);
    if (chosen !== undefined) return chosen;
    if (!this.model.isBranch(at)) {
      const unfolded = at === 0 || this.model.special(at)?.open === 1; // rich output
      return unfolded && (this.depth === null || level < this.depth);
    }
    if (this.kept !== null) return (this.kept[at] & AROUND) !== 0;
    if (this.depth !== null) return level < this.depth && !fits;
    if (this.model.header.all) return !fits && this.model.shape(at).opened !== false;
    return this.opened.has(at);
  }

  /**
   * Before which child of an open branch the view ends.
   * @param {number} at
   */
  stop(at) {
    const { count } = this.model.shape(at);
    const stretch = this.model.header.stretch ?? count;
    if (this.whole.has(at)) return count;
    return this.shown.get(at) ?? (count <= stretch + 1 ? count : stretch);
  }

  /**
   * The line of a node.
   * @param {number} at
   * @param {number} level
   * @returns {Row}
   */
  row(at, level) {
    const { model } = this;
    if (!model.isBranch(at)) {
      const foreign = model.special(at)?.view !== undefined && this.isForeign(at);
      return { kind: "node", at, level, ...(foreign ? { open: this.isOpen(at, level, true) } : {}) };
    }
    const { count, omitted } = model.shape(at);
    if (count === 0 && omitted === undefined) {
      const { head, tail } = model.shape(at);
      return { kind: "node", at, level, flat: [...spansOf(head), ...spansOf(tail)] };
    }
    const flat = this.flat(at, level);
    const open = this.isOpen(at, level, flat !== null);
    return flat !== null && !open ? { kind: "node", at, level, flat } : { kind: "node", at, level, open };
  }

  /**
   * Whether a node is rich output, which folds.
   * @param {number} _at
   * @returns {boolean}
   */
  isForeign(_at) {
    return false;
  }
}

/**
 * A branch whose children are being shown.
 * @typedef {object} Frame
 * @property {number} at
 * @property {number} level
 * @property {number} child The next child.
 * @property {number} stop Before which position to stop.
 * @property {boolean} sparse Whether only what matches is shown.
 * @property {boolean} ends Whether the line that ends the branch is wanted.
 * @property {"before" | "children" | "rest" | "tail"} stage
 */

class Stream {
  /** @param {Outline} outline */
  constructor(outline) {
    this.outline = outline;
    /** @type {Frame[]} */
    this.frames = [];
    /** @type {Row | null} */
    this.first = null;
  }

  /** All lines of a document. @param {Outline} outline */
  static all(outline) {
    const stream = new Stream(outline);
    stream.first = outline.row(0, 0);
    if (stream.first.open && outline.model.isBranch(0)) stream.enter(0, 0);
    return stream;
  }

  /**
   * What follows the line of an open branch.
   * @param {Outline} outline
   * @param {number} at
   * @param {number} level
   */
  static inside(outline, at, level) {
    const stream = new Stream(outline);
    stream.enter(at, level);
    return stream;
  }

  /**
   * The children from some position on, without what ends the branch.
   * @param {Outline} outline
   * @param {number} at
   * @param {number} level
   * @param {number} position
   */
  static rest(outline, at, level, position) {
    const stream = Stream.inside(outline, at, level);
    const [frame] = stream.frames;
    if (frame) Object.assign(frame, { child: outline.model.child(at, position), stage: "children", ends: false });
    return stream;
  }

  /**
   * @param {number} at
   * @param {number} level
   */
  enter(at, level) {
    const { outline } = this;
    const sparse = outline.kept !== null && (outline.kept[at] & AROUND) !== 0;
    const from = outline.from.get(at) ?? 0;
    const child = from > 0 ? outline.model.child(at, from) : at + 1;
    const stop = sparse ? outline.model.shape(at).count : outline.stop(at);
    const stage = from > 0 || outline.missing.has(at) ? "before" : "children";
    this.frames.push({ at, level, child, stop, sparse, ends: true, stage });
  }

  /** Whether a branch is being shown. @param {number} at */
  has(at) {
    return this.frames.some((frame) => frame.at === at);
  }

  /** Leaves a branch that was folded meanwhile, and all inside it. @param {number} at */
  drop(at) {
    const position = this.frames.findIndex((frame) => frame.at === at);
    if (position >= 0) this.frames.length = position;
  }

  get done() {
    return this.first === null && this.frames.length === 0;
  }

  /**
   * The next lines.
   * @param {number} most
   * @returns {Row[]}
   */
  pull(most) {
    /** @type {Row[]} */
    const rows = [];
    while (rows.length < most && !this.done) {
      const row = this.step();
      if (row !== null) rows.push(row);
    }
    return rows;
  }

  /** @returns {Row | null} */
  step() {
    if (this.first !== null) {
      const { first } = this;
      this.first = null;
      return first;
    }
    const frame = this.frames[this.frames.length - 1];
    if (frame === undefined) return null;
    const { at, level } = frame;
    const { model } = this.outline;
    switch (frame.stage) {
      case "before": {
        frame.stage = "children";
        const start = (this.outline.from.get(at) ?? 0) + (this.outline.missing.get(at) ?? 0);
        return { kind: "before", at, level: level + 1, start };
      }
      case "children": {
        const row = this.nextChild(frame);
        if (row === null) frame.stage = "rest";
        return row;
      }
      case "rest": {
        frame.stage = "tail";
        const { count, omitted } = model.shape(at);
        const all = frame.stop >= count && omitted === undefined;
        return frame.sparse || all ? null : { kind: "rest", at, level: level + 1, start: frame.stop };
      }
      default: {
        this.frames.pop();
        return frame.ends && tailSpans(model, at).length > 0 ? { kind: "tail", at, level } : null;
      }
    }
  }

  /**
   * The line of the next child, or null after the last.
   * @param {Frame} frame
   * @returns {Row | null}
   */
  nextChild(frame) {
    const { outline } = this;
    const { model } = outline;
    const end = model.next[frame.at];
    if (frame.sparse) {
      while (frame.child < end && outline.kept?.[frame.child] === 0) {
        frame.child = model.next[frame.child];
      }
    }
    const { child } = frame;
    const position = model.nth[child];
    if (child >= end || position >= frame.stop) return null;
    const level = frame.level + 1;
    if (model.shape(frame.at).rows && !frame.sparse) {
      const space = outline.width - 2 * Math.min(level, outline.deepest);
      const stop = rowEnd(model, frame.at, position, space, frame.stop);
      frame.child = child + stop - position;
      return { kind: "cells", at: frame.at, level, start: position, stop };
    }
    frame.child = model.next[child];
    const row = outline.row(child, level);
    if (row.open && model.isBranch(child)) this.enter(child, level);
    return row;
  }
}

/**
 * What stands on the last line of an open branch.
 * @param {Model} model
 * @param {number} at
 * @returns {Span[]}
 */
function tailSpans(model, at) {
  const spans = spansOf(model.shape(at).tail);
  // Without a tail there is no last line, so the first one takes what follows the branch.
  return spans.length > 0 ? [...spans, [afterOf(model, at), ""]] : [];
}

/**
 * The separator that follows a node.
 * @param {Model} model
 * @param {number} at
 */
function afterOf(model, at) {
  const parent = model.up[at];
  return parent < 0 ? "" : separatorOf(model.shape(parent));
}

/**
 * The text of a line without its indentation.
 * @param {Outline} outline
 * @param {Row} row
 * @returns {Span[]}
 */
function rowSpans(outline, row) {
  const { model } = outline;
  const { at } = row;
  const shape = model.isBranch(at) ? model.shape(at) : null;
  if (row.kind === "tail") return tailSpans(model, at);
  if (row.kind === "before") return [[`${ELLIPSIS} ${row.start} ${nameOf(model.shape(at))} before`, "m"]];
  if (row.kind === "rest") {
    const { count } = model.shape(at);
    const omitted = omittedOf(model.shape(at));
    const start = row.start ?? count;
    const hidden = omitted === null ? null : omitted + count - start;
    return [omittedSpan(hidden, nameOf(model.shape(at)), start > 0)];
  }
  if (row.kind === "cells") {
    /** @type {Span[]} */
    const cells = [];
    for (let position = row.start ?? 0; position < (row.stop ?? 0); position += 1) {
      if (cells.length > 0) cells.push([" ", ""]);
      cells.push(scalarSpan(model.line(at + 1 + position)), [separatorOf(model.shape(at)), ""]);
    }
    return cells;
  }
  const parent = model.up[at];
  /** @type {Span[]} */
  const spans = parent < 0 ? [] : model.label(parent, model.nth[at]);
  const after = afterOf(model, at);
  const special = model.special(at);
  const isPicture = special?.view !== undefined && row.open === undefined;
  if (isPicture) return spans;
  if (shape === null) spans.push(...model.spans(at));
  else if (row.flat) spans.push(...row.flat);
  else if (row.open) spans.push(...spansOf(shape.head));
  else spans.push(...shortSpans(model, at, outline.room(at, row.level)));
  if (after && !(row.open && shape !== null && shape.tail.length > 0)) spans.push([after, ""]);
  if (shape?.note) spans.push(["  ", ""], ...spansOf(shape.note));
  return spans;
}
