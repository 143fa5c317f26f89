// Colours and the values they stand for.

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

/** @param {string} hex */
function hexBytes(hex) {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/**
 * The colours of a scale as pixels.
 * @param {CellData} data
 * @param {GridRow} grid
 */
function tableColors(data, grid) {
  const bytes = hexBytes(data.header.tables[grid.scale?.[0] ?? 0] ?? "");
  const pixels = new Uint8Array((bytes.length / 3) * 4).fill(255);
  bytes.forEach((byte, at) => {
    pixels[Math.floor(at / 3) * 4 + (at % 3)] = byte;
  });
  return new Uint32Array(pixels.buffer);
}
