// Text to take away: the whole value of a node on one line, as far as the document holds it.

/**
 * The whole of a node on one line, and whether that is the value itself: nothing is left out and
 * nothing stands for something else.
 * @param {Model} model
 * @param {number} at
 * @returns {{text: string, exact: boolean}}
 */
function wholeText(model, at) {
  if (!model.isBranch(at)) {
    return { text: joined(model.spans(at)), exact: model.line(at).charCodeAt(0) !== LEAF };
  }
  const parts = [joined(model.spans(at))];
  let exact = true;
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
    if (model.isBranch(child)) stack.push({ branch: child, child: child + 1 });
    else exact &&= model.line(child).charCodeAt(0) !== LEAF;
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
