// Nodes on one line, as the text output writes them: in full where they fit, else shortened with a
// count of what is left out. What a reader copies from a page is to be the text output, so these
// functions are those of `_inline.py` in another language, and a test holds them together.

const ELLIPSIS = "…";
const NESTING = 8;

/**
 * What stands for children that are left out.
 * @param {number | null} omitted
 * @param {string} name
 * @param {boolean} [more]
 * @returns {Span}
 */
function omittedSpan(omitted, name, more = true) {
  if (omitted === null) return [`${ELLIPSIS} more ${name}`.trimEnd(), "m"];
  const called = omitted === 1 && name.endsWith("s") ? name.slice(0, -1) : name;
  const count = omitted.toLocaleString("en-US");
  return [`${ELLIPSIS} ${count} ${more ? "more " : ""}${called}`.trimEnd(), "m"];
}

/**
 * Whether the last child keeps its separator on one line: a tuple of one item.
 * @param {Shape} shape
 */
function keepsComma(shape) {
  const head = joined(spansOf(shape.head));
  const alone = shape.count === 1 && shape.separator === "," && shape.labels === undefined;
  return alone && (head === "(" || head.endsWith("(("));
}

/** How many children of a branch a document leaves out. @param {Shape} shape */
const omittedOf = (shape) => (shape.omitted === undefined ? 0 : shape.omitted);

/** @param {Shape} shape */
const nameOf = (shape) => shape.name ?? "items";

/** @param {Shape} shape */
const separatorOf = (shape) => shape.separator ?? "";

/**
 * @param {Shape} shape
 * @param {number} limit
 * @param {boolean} nested
 */
function mayBeFlat(shape, limit, nested) {
  const least = shape.count * (separatorOf(shape).length + 2);
  if (shape.apart || shape.opened === true || least > limit + 2) return false;
  return !nested || spansOf(shape.note ?? []).every(([, style]) => style !== "e");
}

/**
 * What follows the last child of a branch on one line.
 * @param {Shape} shape
 * @returns {Span[]}
 */
function flatEnding(shape) {
  /** @type {Span[]} */
  const spans = [];
  const omitted = omittedOf(shape);
  if (omitted !== 0) {
    if (shape.count > 0) spans.push([`${separatorOf(shape)} `, ""]);
    spans.push(omittedSpan(omitted, nameOf(shape), shape.count > 0));
  } else if (keepsComma(shape)) {
    spans.push([",", ""]);
  }
  return [...spans, ...spansOf(shape.tail)];
}

/**
 * A node in full on one line, or null if it does not fit.
 * @param {Model} model
 * @param {number} at
 * @param {number} limit Columns there are.
 * @param {number} [nesting] How many branches may stand within one another.
 * @returns {Span[] | null}
 */
function flatSpans(model, at, limit, nesting = NESTING) {
  if (!model.isBranch(at)) {
    const spans = model.spans(at);
    return model.spansWidth(spans) <= limit ? spans : null;
  }
  if (!mayBeFlat(model.shape(at), limit, false)) return null;
  /** @type {Span[]} */
  const row = [];
  let room = limit;
  const add = (/** @type {Span[]} */ spans) => {
    for (const span of spans) row.push(span);
    room -= model.spansWidth(spans);
    return room >= 0;
  };
  if (!add(model.spans(at))) return null;
  const stack = [{ at, child: at + 1 }];
  while (stack.length > 0 && stack.length <= nesting && room >= 0) {
    const top = stack[stack.length - 1];
    if (top === undefined) break;
    const { at: branch, child } = top;
    const shape = model.shape(branch);
    if (child >= model.next[branch]) {
      stack.pop();
      add(flatEnding(shape));
      continue;
    }
    top.child = model.next[child];
    const position = model.nth[child];
    if (position > 0) add([[`${separatorOf(shape)} `, ""]]);
    add(model.label(branch, position));
    if (model.isBranch(child)) {
      if (!mayBeFlat(model.shape(child), room, true)) return null;
      add(model.spans(child));
      stack.push({ at: child, child: child + 1 });
    } else if (!add(model.spans(child))) {
      return null;
    }
  }
  return stack.length > 0 || room < 0 ? null : row;
}

/**
 * A node on one line of at most `limit` columns: in full, or shortened. What cannot be shortened
 * may be longer.
 * @param {Model} model
 * @param {number} at
 * @param {number} limit
 * @returns {Span[]}
 */
function shortSpans(model, at, limit) {
  const whole = flatSpans(model, at, limit);
  if (whole !== null) return whole;
  if (!model.isBranch(at)) {
    const isScalar = model.line(at).charCodeAt(0) !== LEAF;
    return isScalar ? model.spans(at) : cutSpans(model, model.spans(at), limit);
  }
  const shape = model.shape(at);
  if (shape.folded !== undefined) return cutSpans(model, spansOf(shape.folded), limit);
  if (shape.count === 0 && omittedOf(shape) === 0) {
    return cutSpans(model, [...spansOf(shape.head), ...spansOf(shape.tail)], limit);
  }
  const note = model.spansWidth(spansOf(shape.note ?? [])) + 2;
  return elided(model, at, note > 2 && note < Math.floor(limit / 2) ? limit - note : limit);
}

/**
 * Head, as many children as there is room for, the count of the others, tail.
 * @param {Model} model
 * @param {number} at
 * @param {number} limit
 * @returns {Span[]}
 */
function elided(model, at, limit) {
  const shape = model.shape(at);
  const head = spansOf(shape.head);
  const tail = spansOf(shape.tail);
  const omitted = omittedOf(shape);
  const hidden = omitted === null ? null : omitted + shape.count;
  const room = limit - model.spansWidth(head) - model.spansWidth(tail);
  /** @type {Span[]} */
  const body = [];
  let rest = [omittedSpan(hidden, nameOf(shape), false)];
  const separator = `${separatorOf(shape)} `;
  for (const child of model.children(at)) {
    const position = model.nth[child];
    const label = model.label(at, position);
    const left = hidden === null ? null : hidden - position - 1;
    const after = left === 0 ? [] : [omittedSpan(left, "")];
    const taken = model.spansWidth(body) + model.spansWidth(after) + separator.length;
    const space = room - taken - model.spansWidth(label);
    const spans = flatSpans(model, child, space) ?? stubSpans(model, child, space);
    if (spans === null) break;
    body.push(...label, ...spans);
    if (after.length > 0) body.push([separator, ""]);
    rest = after;
  }
  const spans = [...head, ...body, ...rest, ...tail];
  return model.spansWidth(spans) <= limit ? spans : [...head, [ELLIPSIS, "m"], ...tail];
}

/**
 * The shortest form of a branch, if it fits.
 * @param {Model} model
 * @param {number} at
 * @param {number} limit
 * @returns {Span[] | null}
 */
function stubSpans(model, at, limit) {
  if (!model.isBranch(at)) return null;
  const { head, tail, folded } = model.shape(at);
  /** @type {Span[]} */
  const spans = folded ? spansOf(folded) : [...spansOf(head), [ELLIPSIS, "m"], ...spansOf(tail)];
  return model.spansWidth(spans) <= limit ? spans : null;
}

/**
 * Styled text cut to `limit` columns, with an ellipsis where something is missing.
 * @param {Model} model
 * @param {Span[]} spans
 * @param {number} limit
 * @returns {Span[]}
 */
function cutSpans(model, spans, limit) {
  if (model.spansWidth(spans) <= limit) return spans;
  /** @type {Span[]} */
  const kept = [];
  let room = limit - 1;
  for (const [text, style] of spans) {
    const width = model.width(text);
    if (width > room) {
      kept.push([cutText(model, text, room), style]);
      break;
    }
    kept.push([text, style]);
    room -= width;
  }
  return [...kept, [ELLIPSIS, "m"]];
}

/**
 * @param {Model} model
 * @param {string} text
 * @param {number} limit
 */
function cutText(model, text, limit) {
  let kept = "";
  let room = limit;
  for (const character of text) {
    room -= model.width(character);
    if (room < 0) break;
    kept += character;
  }
  return kept;
}

/**
 * Where a line ends that begins with the child at `position` and is filled with as many as fit.
 * @param {Model} model
 * @param {number} at A branch of scalars.
 * @param {number} position
 * @param {number} space Columns of a line; one that holds a single child may be longer.
 * @param {number} stop Before which child to stop at the latest.
 */
function rowEnd(model, at, position, space, stop) {
  const gap = separatorOf(model.shape(at)).length;
  let used = 0;
  for (let end = position; end < stop; end += 1) {
    const width = model.width(model.line(at + 1 + end)) + gap;
    if (used > 0 && used + 1 + width > space) return end;
    used += width + (used > 0 ? 1 : 0);
  }
  return stop;
}
