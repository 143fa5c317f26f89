"""Values of every element type and what Python writes for them, for the tests of pictures."""

import re
from dataclasses import replace

import numpy as np
from treeview._cells import CellData
from treeview._document import Picture
from treeview.arrays.figure import array_picture


def shortest(value):
    """A number as Python writes it, with the fewest digits that tell it from its neighbours."""
    if not np.isfinite(value) or value == 0:
        return repr(float(value))
    return repr(float(np.format_float_scientific(value, unique=True)))


def complex_text(value):
    """A complex number as Python writes it, each part with the digits of its own type."""
    real, imaginary = shortest(value.real), shortest(value.imag)
    plain = [part.removesuffix(".0") for part in (real, imaginary)]
    if value.real == 0 and not np.signbit(value.real):
        return f"{plain[1]}j"
    sign = "" if plain[1].startswith("-") else "+"
    return f"({plain[0]}{sign}{plain[1]}j)"


def any_bits(rng, dtype, count=3000):
    """Numbers of any bits, so of any magnitude, and powers of two and ten."""
    size = np.dtype(dtype).itemsize
    loose = rng.integers(0, 256, size * count, dtype=np.uint8).view(dtype)
    if np.dtype(dtype).kind != "f":
        return loose
    with np.errstate(all="ignore"):
        powers = np.ldexp(np.ones(300, dtype), np.arange(-150, 150))
        tens = np.array([float(f"1e{k}") for k in range(-44, 40)]).astype(dtype)
        plain = np.array([0.0, -0.0, 0.1, 1.0, 1e16, 123456789.0, np.nan, np.inf, -np.inf], dtype)
    return np.concatenate([loose, powers, tens, plain, rng.standard_normal(500).astype(dtype)])


def cell_cases(rng):
    """Names, payloads and texts."""
    cases = {}
    for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
        values = any_bits(rng, kind)
        cases[kind] = values, [str(int(value)) for value in values]
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    cases["f2"] = halves, list(map(shortest, halves))
    for kind in ("f4", "f8"):
        values = any_bits(rng, kind)
        cases[kind] = values, list(map(shortest, values))
    for kind, part in (("c8", "f4"), ("c16", "f8")):
        parts = any_bits(rng, part)[-900:]
        values = (parts + 0j).astype(kind)
        values.imag = rng.permutation(parts)
        cases[kind] = values, list(map(complex_text, values))
    cases["bool"] = np.array([True, False]), ["True", "False"]
    days = np.array(["2020-02-29", "NaT", "1969-07-20"], "M8[D]")
    cases["M8"] = days, ["2020-02-29", "NaT", "1969-07-20"]
    words = np.array(["a", "it's", "</script>", "\u202e", "世界"])
    cases["U"] = words, ["'a'", '"it\'s"', "'</script>'", r"'\u202e'", "'世界'"]
    things = np.array([None, (1, 2), {"a": 1}, 10**30], object)
    cases["O"] = things, ["None", "(1, 2)", "{'a': 1}", str(10**30)]
    return cases


def brain_floats():
    """All numbers of bfloat16, and their shortest digits, found by trying."""
    bits = np.arange(0, 1 << 16, 7, dtype=np.uint32)
    # Around powers of two the shortest decimal need not be the nearest one.
    bits = bits[(bits & 0x7F) > 0]
    values = (bits << 16).astype(np.uint32).view(np.float32)

    def nearest(number):
        (whole,) = np.array([number], np.float32).view(np.uint32).tolist()
        return (whole + 0x7FFF + (whole >> 16 & 1)) >> 16

    texts = []
    for number, value in zip(bits.tolist(), values.tolist(), strict=True):
        shorts = (float(f"{value:.{digits}g}") for digits in range(1, 9))
        plain = np.isfinite(value) and value != 0
        texts.append(
            repr(next((s for s in shorts if nearest(s) == number), 0.0) if plain else value)
        )
    return bits.astype(np.uint16), texts


def payload(picture):
    """What a page holds of one picture, without its element."""
    data = CellData()
    data.add({0: picture})
    return re.search('"([A-Za-z0-9+/=]+)"</script>', data.element(name="x"))[1]


def write_cases(rng):
    """All cases, ready for JSON."""
    bits, texts = brain_floats()
    (grid,) = array_picture(bits, truncate=False).grids
    brain = Picture(np.zeros((1, 1, 4), np.uint8), 1, "", grids=(replace(grid, kind="bf"),))
    rows = [{"name": "bf", "data": payload(brain), "texts": texts}]
    return rows + [
        {
            "name": name,
            "data": payload(array_picture(values, truncate=False)),
            "texts": texts,
        }
        for name, (values, texts) in cell_cases(rng).items()
    ]


def place_cases(rng):
    """Pictures with facets and cuts, and where some of their values are."""
    cases = []
    for shape in [(), (5,), (3, 4), (2, 3, 4), (2, 2, 2, 3), (60, 50), (40, 3, 50), (7, 1)]:
        values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        picture = array_picture(values, truncate=True, style=None)
        (grid,) = picture.grids
        kept = grid.values.tolist()
        chosen = rng.choice(len(kept), min(len(kept), 60), replace=False).tolist()
        where = [list(map(int, np.unravel_index(kept[at], shape))) for at in chosen]
        cases.append(
            {
                "data": payload(picture),
                "size": picture.pixels.shape[:2],
                "at": chosen,
                "where": where,
            }
        )
    return cases
