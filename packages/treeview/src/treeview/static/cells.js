// What the pictures of a page know of their cells: which indices a pixel stands for, and the value
// that is there, written as Python writes it. Nothing here needs a document.

/**
 * One axis: name, label, how many indices are shown, before which of them some are left out, how
 * many, what each stands for, what each is called.
 * @typedef {[string | null, string, number, number, number, string[]?, string[]?]} AxisRow
 */

/**
 * @typedef {object} GridRow
 * @property {AxisRow[]} axes
 * @property {number[]} rows Axes, innermost first.
 * @property {number[]} columns
 * @property {number} cell Pixels of a side.
 * @property {number} [top] Pixels above.
 * @property {string} [part] The field of a structured array.
 * @property {number[]} [sliders]
 * @property {number[]} [position] The index of each slider at first.
 * @property {Record<string, string>} [names] What integers stand for.
 * @property {[number, number, number, number, number]} [scale] The table of colours, the values of
 *   its ends, whether there are values beyond, and whether a click may change the scale.
 * @property {string} [kind] How values are kept; `~` where only their colours tell them.
 * @property {string[]} [texts]
 * @property {number} [wide] Bytes of the number of a text.
 * @property {number} [values] Where the values begin.
 * @property {number} [count]
 * @property {number} [masked] Where the bits begin that say what is masked.
 * @property {number} [tiles] Where the tiles begin.
 * @property {number} [choice] Where the numbers of the tiles begin.
 */

/** @typedef {[string, Record<string, string>, (Described | string)[]]} Described An element. */

/**
 * @typedef {object} CellHeader
 * @property {Record<string, {grids?: GridRow[], figure?: Described, pixels?: number[], png?: number[]}>} views
 * @property {string[]} tables
 * @property {string} [palette]
 */

/** @typedef {{header: CellHeader, blob: Uint8Array}} CellData */

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

/**
 * One number from the planes of its bytes.
 * @param {CellData} data
 * @param {number} start
 * @param {number} count How many numbers there are.
 * @param {number} width Bytes of one.
 * @param {number} at
 * @returns {DataView}
 */
function gathered({ blob }, start, count, width, at) {
  SCRATCH.setUint32(0, 0); // what reads more bytes than there are reads zeros
  for (let plane = 0; plane < width; plane += 1) SCRATCH.setUint8(plane, blob[start + plane * count + at] ?? 0);
  return SCRATCH;
}

const SCRATCH = new DataView(new ArrayBuffer(16));

/** @type {Record<string, number>} */
const EXTRA_WIDTHS = { bf: 2, c8: 8, c16: 16 };

/**
 * A value as a number: a long integer as it is, a complex number as two; null where there is none.
 * @param {CellData} data
 * @param {GridRow} grid
 * @param {number} at
 * @returns {number | bigint | [number, number] | null}
 */
function cellValue(data, grid, at) {
  const { kind = "", values = 0, count = 0 } = grid;
  const width = kind === "texts" ? (grid.wide ?? 1) : (EXTRA_WIDTHS[kind] ?? Number(kind.slice(1)));
  if (!width) return null;
  const view = gathered(data, values, count, width, at);
  switch (kind) {
    case "i1":
      return view.getInt8(0);
    case "i2":
      return view.getInt16(0, true);
    case "i4":
      return view.getInt32(0, true);
    case "i8":
      return view.getBigInt64(0, true);
    case "u8":
      return view.getBigUint64(0, true);
    case "f2":
      return halfFloat(view.getUint16(0, true));
    case "bf":
      view.setUint32(4, view.getUint16(0, true) * 65536, true);
      return view.getFloat32(4, true);
    case "f4":
      return view.getFloat32(0, true);
    case "f8":
      return view.getFloat64(0, true);
    case "c8":
      return [view.getFloat32(0, true), view.getFloat32(4, true)];
    case "c16":
      return [view.getFloat64(0, true), view.getFloat64(8, true)];
    default:
      return view.getUint32(0, true); // the bytes behind a short number are zero
  }
}

/** @param {number} bits */
function halfFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/** The bits of the significand of a type, and the least exponent. @type {Record<string, [number, number]>} */
const PRECISIONS = { f2: [11, -14], bf: [8, -126], f4: [24, -126], c8: [24, -126] };

/**
 * The number of a narrow type that is nearest to a number.
 * @param {number} value Finite and not zero.
 * @param {[number, number]} precision
 */
function narrowed(value, [bits, least]) {
  const magnitude = Math.abs(value);
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent -= 1;
  if (2 ** (exponent + 1) <= magnitude) exponent += 1;
  const step = 2 ** (Math.max(exponent, least) - bits + 1);
  const scaled = magnitude / step;
  const floor = Math.floor(scaled);
  const up = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 === 1);
  return Math.sign(value) * (floor + (up ? 1 : 0)) * step;
}

/**
 * A real number as Python writes it, with as few digits as tell it from the others of its type.
 * @param {number} value
 * @param {string} kind
 */
function realText(value, kind) {
  const precision = PRECISIONS[kind];
  if (!precision || !Number.isFinite(value) || value === 0) return pythonFloat(value);
  for (let digits = 1; digits < 10; digits += 1) {
    // Below a power of two numbers are closer to each other than above it, so that the next larger
    // decimal may be one of it where the nearest one is not.
    for (const short of [rounded(value, digits), raised(value, digits)]) {
      if (narrowed(short, precision) === value) return pythonFloat(short);
    }
  }
  return pythonFloat(value);
}

/**
 * A number with so many digits; half way between two, the one whose last digit is even.
 * @param {number} value
 * @param {number} digits
 */
function rounded(value, digits) {
  const [longer = "", power = ""] = value.toExponential(digits).split("e");
  const lower = longer.slice(0, -1);
  const isHalf = longer.endsWith("5") && Number(`${longer}e${power}`) === value;
  return isHalf && /[02468]\.?$/.test(lower) ? Number(`${lower}e${power}`) : Number(value.toPrecision(digits));
}

/**
 * The number with so many digits that is next to another one, away from zero.
 * @param {number} value
 * @param {number} digits
 */
function raised(value, digits) {
  const [longer = "", power = ""] = value.toExponential(20).split("e");
  const kept = longer.replace(".", "").slice(0, digits + (value < 0 ? 1 : 0));
  const next = BigInt(kept) + (value < 0 ? -1n : 1n);
  return Number(`${next}e${Number(power) - digits + 1}`);
}

/** @param {number} value */
function pythonFloat(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [digits = "", power = ""] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${BigInt(value)}.0` : String(value);
}

/**
 * A complex number as Python writes it.
 * @param {[number, number]} value
 * @param {string} kind
 */
function complexText([real, imaginary], kind) {
  const [first = "", second = ""] = [real, imaginary].map((part) => realText(part, kind).replace(/\.0$/, ""));
  if (real === 0 && !Object.is(real, -0)) return `${second}j`;
  return `(${first}${second.startsWith("-") ? "" : "+"}${second}j)`;
}

/**
 * Whether a value is masked.
 * @param {CellData} data
 * @param {GridRow} grid
 * @param {number} at
 */
function isMasked({ blob }, { masked }, at) {
  return masked !== undefined && ((blob[masked + (at >> 3)] ?? 0) & (128 >> (at & 7))) !== 0;
}

/**
 * A value as Python writes it; null where the page does not hold it.
 * @param {CellData} data
 * @param {GridRow} grid
 * @param {number} at
 * @returns {string | null}
 */
function valueText(data, grid, at) {
  if (isMasked(data, grid, at)) return "masked";
  const value = cellValue(data, grid, at);
  const kind = grid.kind ?? "";
  if (value === null) return null;
  if (Array.isArray(value)) return complexText(value, kind);
  if (kind === "texts") return grid.texts?.[Number(value)] ?? null;
  const text = /^[iu]/.test(kind) ? String(value) : realText(Number(value), kind);
  const name = grid.names?.[text];
  return name === undefined ? text : `${text} (${name})`;
}

/** The colours of marks, and what they mean. */
/** @type {Record<string, string>} */
const MARK_TEXTS = { "14,14,14": "nan", "ff,ff,ff": "inf", "3c,0,5a": "-inf", "96,96,96": "masked" };

/**
 * About which value has a colour.
 * @param {CellData} data
 * @param {GridRow} grid
 * @param {number[]} color Red, green and blue of the first pixel of a cell.
 */
function colorText(data, grid, color) {
  const [red = 0, green = 0, blue = 0] = color;
  const marked = MARK_TEXTS[[red, green, blue].map((part) => part.toString(16)).join(",")];
  if (!grid.scale) return null;
  const [number, low, high, clipped] = grid.scale;
  const table = data.header.tables[number] ?? "";
  const count = table.length / 6;
  const hex = [red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("");
  for (let at = 0; at < count; at += 1) {
    if (table.slice(6 * at, 6 * at + 6) !== hex) continue;
    const step = count > 1 ? 1 / (count - 1) : 0;
    const value = low === high ? low : low * (1 - at * step) + high * (at * step);
    // As many digits as the distance between two colours allows.
    const parts = Math.max(Math.abs(low), Math.abs(high)) / ((high - low) * step);
    const digits = Math.min(Math.max(Math.ceil(Math.log10(parts)), 1), 3) || 3;
    const short = pythonFloat(Number(value.toPrecision(digits))).replace(/\.0$/, "");
    const beyond = !clipped || (at > 0 && at < count - 1) ? "" : at === 0 ? " or less" : " or more";
    return `≈ ${short}${beyond}`;
  }
  return marked === undefined ? null : marked;
}

/**
 * The place of a magnitude on a scale that spreads the colours around another one.
 *
 * Colours follow the area hyperbolic sine: about even below the chosen magnitude, and by ratios
 * above it. It is made so that the chosen magnitude has a colour half way out, unless even steps
 * bring it farther.
 * @param {number} magnitude The chosen one; not negative.
 * @param {number} limit The magnitude of the last colour.
 * @returns {number} The magnitude from which on colours follow ratios; infinite for even steps.
 */
function spreadFor(magnitude, limit) {
  if (!(magnitude > 0) || magnitude >= limit / 2) return Infinity;
  let low = Math.log(magnitude) - Math.log(limit / magnitude) - 5;
  let high = Math.log(limit) + 10;
  for (let round = 0; round < 80; round += 1) {
    const middle = (low + high) / 2;
    const spread = Math.exp(middle);
    const place = Math.asinh(magnitude / spread) / Math.asinh(limit / spread);
    if (place > 0.5) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/**
 * The place of a value between -1 and 1 on a scale around zero.
 * @param {number} value
 * @param {number} limit
 * @param {number} spread
 */
function spreadPlace(value, limit, spread) {
  const place = spread === Infinity ? value / limit : Math.asinh(value / spread) / Math.asinh(limit / spread);
  return Math.min(Math.max(place, -1), 1);
}

/**
 * A payload: the header and what follows it.
 * @param {Uint8Array} bytes
 * @returns {CellData}
 */
function readCells(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { header, blob: bytes.subarray(4 + length) };
}

/** @param {string} hex */
function hexBytes(hex) {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}
