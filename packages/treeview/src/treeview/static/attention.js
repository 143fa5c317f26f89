// Attention over text: the token under the pointer or the focus looks at the others, which are
// coloured by their weights. The page holds these as shares of the largest, two bytes each.

/** @param {Element} figure */
function startAttention(figure) {
  const { rows, columns, top, full, values } = JSON.parse(figure.querySelector("script")?.textContent ?? "{}");
  const bytes = Uint8Array.from(atob(values), (character) => character.charCodeAt(0));
  const shares = new DataView(bytes.buffer);
  const queries = [...figure.querySelectorAll("[data-q]")].filter(isToken);
  const keys = [...figure.querySelectorAll("[data-k]")].filter(isToken);
  const heads = figure.querySelector("select");
  for (const query of queries) query.setAttribute("data-lm-suppress-shortcuts", ""); // as in view.js
  const said = figure.querySelector("[role=status]");
  let row = rows - 1;
  const legend = figure.querySelector(".le > :last-child");
  /** @param {number} column */
  const weight = (column) =>
    (top * shares.getUint16(2 * (((heads?.selectedIndex ?? 0) * rows + row) * columns + column), true)) / 65_535;
  /** @param {number} value */
  const short = (value) => String(Number(value.toPrecision(3)));
  /** @param {number} column */
  const named = (column) => `${keys[column]?.textContent?.trim()} ${short(weight(column))}`;
  const show = () => {
    queries.forEach((query, at) => {
      query.setAttribute("aria-pressed", String(at === row));
      query.tabIndex = at === row ? 0 : -1;
    });
    const whole = full ?? (Math.max(...keys.map((_, column) => weight(column))) || 1);
    if (legend) legend.textContent = short(whole);
    keys.forEach((key, column) => {
      key.style.setProperty("--w", `${Math.min(Math.round((100 * weight(column)) / whole), 100)}%`);
      key.title = named(column);
    });
    const most = [...keys.keys()].sort((one, other) => weight(other) - weight(one)).slice(0, 3);
    const words = most.filter((column) => weight(column) > 0).map(named);
    if (said) said.textContent = `${queries[row]?.textContent?.trim()} looks at ${words.join(", ")}`;
  };
  /** @param {EventTarget | null} target */
  const choose = (target) => {
    const found = target instanceof Element ? queries.findIndex((query) => query === target.closest("[data-q]")) : -1;
    if (found < 0 || found === row) return;
    row = found;
    show();
  };
  figure.addEventListener("pointerover", (event) => choose(event.target));
  figure.addEventListener("focusin", (event) => choose(event.target));
  figure.addEventListener("click", (event) => choose(event.target));
  figure.addEventListener("keydown", (event) => {
    if (!(event instanceof KeyboardEvent) || !(event.target instanceof Element) || !event.target.matches("[data-q]")) return;
    const next = { ArrowRight: row + 1, ArrowLeft: row - 1, Home: 0, End: rows - 1 }[event.key];
    const query = next === undefined ? undefined : queries[next];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook has meanings of its own for these keys
    query?.focus();
  });
  heads?.addEventListener("change", show);
}

/**
 * @param {Element} element
 * @returns {element is HTMLElement}
 */
const isToken = (element) => element instanceof HTMLElement;

for (const figure of document.querySelectorAll(".tv-attention:not([data-started])")) {
  figure.setAttribute("data-started", "");
  startAttention(figure);
}
