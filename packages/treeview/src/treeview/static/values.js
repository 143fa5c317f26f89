// Text to take away: the whole value of a node on one line, as far as the document holds it.

/**
 * Whether the text of a node is that of its value. What a roundtrip cannot write stands in marks.
 * @param {Model} model
 * @param {number} at
 * @param {boolean} isRoundtrip
 */
function isValue(model, at, isRoundtrip) {
  const isMarked = isRoundtrip && model.line(at).match(/^[#@]/) && joined(model.spans(at)).startsWith("<");
  return !isMarked && (isRoundtrip || model.line(at).charCodeAt(0) !== LEAF);
}

/**
 * The whole of a node on one line, and whether that is the value itself: nothing is left out and
 * nothing stands for something else.
 * @param {Model} model
 * @param {number} at
 * @param {boolean} [isRoundtrip] Whether the document is written so that it evaluates.
 * @returns {{text: string, exact: boolean}}
 */
function wholeText(model, at, isRoundtrip = false) {
  let exact = isValue(model, at, isRoundtrip);
  if (!model.isBranch(at)) return { text: joined(model.spans(at)), exact };
  const parts = [joined(model.spans(at))];
  const stack = [{ branch: at, child: at + 1 }];
  for (let top = stack[0]; top !== undefined; top = stack[stack.length - 1]) {
    const { branch, child } = top;
    const shape = model.shape(branch);
    if (child >= model.next[branch]) {
      exact &&= shape.omitted === undefined;
      parts.push(joined(flatEnding(shape)));
      stack.pop();
      continue;
    }
    top.child = model.next[child];
    const position = model.nth[child];
    if (position > 0) parts.push(`${separatorOf(shape)} `);
    parts.push(joined(model.label(branch, position)), joined(model.spans(child)));
    exact &&= isValue(model, child, isRoundtrip);
    if (model.isBranch(child)) stack.push({ branch: child, child: child + 1 });
  }
  return { text: parts.join(""), exact };
}

/**
 * The node with the same path in another document, or null.
 * @param {Model} from
 * @param {number} at
 * @param {Model} into
 * @returns {number | null}
 */
function samePlace(from, at, into) {
  /** @type {string[]} */
  const steps = [];
  for (let below = at; from.up[below] >= 0; below = from.up[below]) {
    const step = from.step(below);
    if (step === null) return null;
    steps.push(step);
  }
  let found = 0;
  for (const step of steps.reverse()) {
    let next = -1;
    for (const child of into.children(found)) {
      if (into.step(child) === step) {
        next = child;
        break;
      }
    }
    if (next < 0) return null;
    found = next;
  }
  return found;
}
