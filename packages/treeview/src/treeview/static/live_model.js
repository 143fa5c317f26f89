// The model of a live tree holds only what was opened. The answer to a question, a payload like that of
// a page, takes the place of a branch. Both sides call branches by numbers, which stay the same however
// the object changes.

/** @typedef {{kind: string, text: string}} News */
/** @typedef {Header & {places: number[], before: number[], marks: (number | string)[]}} LiveHeader */

/**
 * Takes the entries of a map along when the lines from `start` to `stop` become more or fewer.
 * @template T
 * @param {Map<number, T>} map By line.
 * @param {number} start
 * @param {number} stop
 * @param {number} by
 */
function shiftLines(map, start, stop, by) {
  const entries = [...map];
  map.clear();
  for (const [at, value] of entries) {
    if (at < start) map.set(at, value);
    else if (at >= stop) map.set(at + by, value);
  }
}

class LiveModel extends Model {
  /** @param {string} text A payload. */
  constructor(text) {
    super(text);
    /** @type {Map<number, number>} The numbers of branches, by line. */
    this.numbers = new Map();
    /** @type {Map<number, number>} The lines of branches, by number. */
    this.places = new Map();
    /** @type {Map<number, News>} What is new. */
    this.marks = new Map();
    /** @type {Map<number, number>} How many children come before those that are known. */
    this.before = new Map();
    this.take(this.header, 0);
    this.link();
  }

  /**
   * Takes over what a header says of its lines.
   * @param {Header} header
   * @param {number} by How many lines stand before them.
   */
  take(header, by) {
    const { places, before, marks } = /** @type {LiveHeader} */ (header);
    for (let at = 0; at + 1 < places.length; at += 2) this.numbers.set(places[at] + by, places[at + 1]);
    for (let at = 0; at + 1 < before.length; at += 2) this.before.set(before[at] + by, before[at + 1]);
    for (let at = 0; at + 2 < marks.length; at += 3) {
      this.marks.set(Number(marks[at]) + by, { kind: String(marks[at + 1]), text: String(marks[at + 2]) });
    }
  }

  /** Finds branches by their numbers, as references do. */
  link() {
    this.places.clear();
    for (const [at, number] of this.numbers) {
      this.places.set(number, at);
      this.targets.set(number, at);
    }
  }

  /**
   * Puts another document in the place of a node.
   * @param {number} start The node.
   * @param {LiveModel} part
   * @returns {number} By how many lines there are more.
   */
  replace(start, part) {
    const stop = this.next[start];
    const by = part.size - (stop - start);
    const { shapes, leaves } = this.header;
    const [firstShape, firstLeaf] = [shapes.length, leaves.length];
    const lines = part.lines.map((line) => {
      if (line.charCodeAt(0) === BRANCH) return `#${Number(line.slice(1)) + firstShape}`;
      return line.charCodeAt(0) === LEAF ? `@${Number(line.slice(1)) + firstLeaf}` : line;
    });
    this.header.shapes = shapes.concat(part.header.shapes);
    this.header.leaves = leaves.concat(
      part.header.leaves.map((leaf) =>
        Array.isArray(leaf) || leaf.view === undefined ? leaf : { ...leaf, view: leaf.view + firstLeaf },
      ),
    );
    const all = this.lines.slice(0, start).concat(lines, this.lines.slice(stop));
    /** @type {Map<number, any>[]} */
    const maps = [this.numbers, this.marks, this.before, this.totals];
    for (const map of maps) shiftLines(map, start, stop, by);
    for (const [at, words] of part.totals) this.totals.set(at + start, words);
    for (const character of part.wide) this.wide.add(character);
    for (const character of part.zero) this.zero.add(character);
    const column = () => new Int32Array(all.length);
    Object.assign(this, { lines: all, size: all.length, next: column(), up: column(), nth: column(), branches: 0 });
    this.targets.clear();
    for (const _ of this.connecting());
    this.take(part.header, start);
    this.link();
    return by;
  }

  /**
   * The line of a place, or -1.
   * @param {readonly number[]} place The number of a branch, and which child of it (or -1).
   */
  find(place) {
    const [number, child] = place;
    const at = this.places.get(number ?? -1) ?? -1;
    if (at < 0 || child === undefined || child < 0) return at;
    return this.isBranch(at) && child < this.shape(at).count ? this.child(at, child) : -1;
  }

  /**
   * The place of a line.
   * @param {number} at
   * @returns {[number, number]}
   */
  place(at) {
    let below = at;
    for (let above = at; above >= 0; above = this.up[above]) {
      const number = this.numbers.get(above);
      if (number !== undefined) return [number, above === at ? -1 : this.nth[below]];
      below = above;
    }
    return [0, -1];
  }
}

/** What a reader chose in an outline, by the numbers of branches. */
class Choices {
  /**
   * @param {Outline} outline
   * @param {LiveModel} model
   * @param {number} start
   * @param {number} stop
   */
  constructor(outline, model, start, stop) {
    /** @type {[number, boolean | undefined, boolean][]} */
    this.kept = [];
    for (const [at, number] of model.numbers) {
      if (at < start || at >= stop) continue;
      // What another view opens stays folded here.
      const fold = outline.folds.get(at) ?? (outline.opened.has(at) ? undefined : false);
      this.kept.push([number, fold, outline.whole.has(at)]);
    }
  }

  /**
   * @param {Outline} outline
   * @param {LiveModel} model
   */
  restore(outline, model) {
    for (const [number, fold, whole] of this.kept) {
      const at = model.places.get(number);
      if (at === undefined) continue;
      if (fold !== undefined) outline.folds.set(at, fold);
      if (whole) outline.whole.add(at);
    }
  }
}
