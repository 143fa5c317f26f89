// Numbers as Python writes them, with as few digits as tell them from the others of their type.

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
