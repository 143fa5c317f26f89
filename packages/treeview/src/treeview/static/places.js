// Where the cells of a picture are: which indices a pixel stands for, and how they are written.

/**
 * @typedef {object} SideLevel
 * @property {number} axis
 * @property {number} count
 * @property {number} cut
 * @property {number} pitch Pixels from one index to the next.
 * @property {number} extent Pixels of one index.
 * @property {number} jump Pixels that the mark of a cut takes.
 */

/**
 * Where the indices of some axes stand along one side.
 * @param {GridRow} grid
 * @param {number[]} axes Innermost first.
 * @returns {SideLevel[]} Innermost first.
 */
function sideLevels(grid, axes) {
  let extent = grid.cell;
  return axes.map((axis, depth) => {
    const [, , count, cut] = grid.axes[axis] ?? [null, "", 1, 0];
    const gap = depth > 0 ? grid.cell * 2 ** (depth - 1) : 0;
    const level = { axis, count, cut, extent, pitch: extent + gap, jump: cut ? grid.cell + gap : 0 };
    extent = (count - 1) * level.pitch + level.jump + extent;
    return level;
  });
}

/**
 * How many pixels a side has.
 * @param {SideLevel[]} levels
 * @param {number} cell
 */
function sideLength(levels, cell) {
  const outer = levels.at(-1);
  return outer ? (outer.count - 1) * outer.pitch + outer.jump + outer.extent : cell;
}

/**
 * The shown indices at a pixel of a side, by axis; -1 for what is left out there, and nothing for
 * the axes inside that. Null between the cells.
 * @param {SideLevel[]} levels
 * @param {number} pixel
 * @param {number} cell
 * @returns {Map<number, number> | null}
 */
function indicesAt(levels, pixel, cell) {
  if (pixel < 0 || pixel >= sideLength(levels, cell)) return null;
  /** @type {Map<number, number>} */
  const found = new Map();
  let rest = pixel;
  for (const { axis, count, cut, pitch, extent, jump } of [...levels].reverse()) {
    if (cut && rest >= cut * pitch) {
      if (rest < cut * pitch + cell) return found.set(axis, -1);
      rest -= jump;
      if (rest < cut * pitch) return null;
    }
    const index = Math.floor(rest / pitch);
    rest -= index * pitch;
    if (rest >= extent || index >= count) return null;
    found.set(axis, index);
  }
  return found;
}

/**
 * Where a cell starts along a side.
 * @param {SideLevel[]} levels
 * @param {number} cell Its number; the outermost axis varies slowest.
 */
function startOf(levels, cell) {
  let rest = cell;
  let start = 0;
  for (const { count, cut, pitch, jump } of levels) {
    const index = rest % count;
    rest = Math.floor(rest / count);
    start += index * pitch + (cut && index >= cut ? jump : 0);
  }
  return start;
}

/**
 * The number of a cell along a side, from its indices.
 * @param {SideLevel[]} levels
 * @param {Map<number, number>} indices
 */
function cellNumber(levels, indices) {
  return levels.reduceRight((number, { axis, count }) => number * count + (indices.get(axis) ?? 0), 0);
}

/**
 * The indices of a cell along a side, by axis.
 * @param {SideLevel[]} levels
 * @param {number} cell
 * @returns {[number, number][]}
 */
function cellIndices(levels, cell) {
  let rest = cell;
  return levels.map(({ axis, count }) => {
    const index = rest % count;
    rest = Math.floor(rest / count);
    return [axis, index];
  });
}

/**
 * Cells of a grid along a side.
 * @param {GridRow} grid
 * @param {number[]} axes
 */
function cellCount(grid, axes) {
  return axes.reduce((product, axis) => product * (grid.axes[axis]?.[2] ?? 1), 1);
}

/**
 * The index in the array that a shown index stands for; a range for what is left out.
 * @param {AxisRow} axis
 * @param {number | undefined} shown
 */
function indexText([, , , cut, jump, ranges], shown) {
  if (shown === undefined) return ":";
  if (ranges?.length) return ranges[shown] ?? `${cut}:${cut + jump}`;
  if (shown < 0) return `${cut}:${cut + jump}`;
  return String(cut && shown >= cut ? shown + jump : shown);
}

/**
 * The place of a cell, as an index is written: `[1, 3]`, or `{batch: 1, seq: 3}` by names.
 * @param {GridRow} grid
 * @param {Map<number, number>} indices
 */
function placeText(grid, indices) {
  /** @type {string[]} */
  const named = [];
  /** @type {string[]} */
  const positional = [];
  grid.axes.forEach((axis, number) => {
    const index = indexText(axis, axis[2] === 1 && !indices.has(number) ? 0 : indices.get(number));
    if (axis[0] === null) positional.push(index);
    else named.push(`${axis[0]}: ${index}`);
  });
  const names = named.length > 0 ? `{${named.join(", ")}}` : "";
  const part = grid.part ? `['${grid.part}']` : "";
  return part + names + (positional.length > 0 ? `[${positional.join(", ")}]` : "");
}

/**
 * What the indices of a cell are called, such as ` · axis 0: the`.
 * @param {GridRow} grid
 * @param {Map<number, number>} indices
 */
function itemsText(grid, indices) {
  return grid.axes
    .map(([, label, , , , , items], number) => {
      const item = items?.[indices.get(number) ?? -1];
      return item === undefined ? "" : ` · ${label}: ${item}`;
    })
    .join("");
}
