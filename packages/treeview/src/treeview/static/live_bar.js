// The controls above a live tree.

/** What the keyboard does, as it is told behind the question mark. */
const KEYS = [
  ["↑ ↓ Home End", "go from line to line"],
  ["→ ←", "open a branch, fold it, go to the branch around"],
  ["Enter", "select; a selected branch folds and opens"],
  ["Space", "open or fold without selecting"],
  ["*", "open all branches beside this one"],
  ["letters", "go to the next line that begins with them"],
  ["Ctrl+C", "copy the path of a line, or the value of a cell of a picture"],
  ["Shift+Tab", "from a line to its buttons"],
  ["Tab", "into pictures, where arrows go from value to value, and + and - change the size of cells"],
  ["Enter, Shift+Enter", "in the search field: next and previous match; Escape ends the search"],
];

/** @param {Live} live */
function makeLiveBar(live) {
  const { search } = live;
  const bar = made("div", "tv-bar");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Search and folding");
  search.copy = makeButton("Copy paths", () => search.askPaths(), "Copy the paths of all matches as a Python list");
  search.copy.hidden = true;
  bar.append(
    makeSearchField(search),
    makeButton("‹", () => search.go(-1), "Previous match"),
    makeButton("›", () => search.go(1), "Next match"),
    search.copy,
    makeButton("Expand all", () => live.unfold(null), "Open all branches, as far as there is room"),
    makeButton("Collapse all", () => live.shown.unfold(1)),
    makeDepth((depth) => live.unfold(depth)),
    makeHelp(bar),
    live.said,
  );
  return bar;
}

/** @param {LiveSearch} search */
function makeSearchField(search) {
  const field = made("input");
  field.type = "search";
  field.placeholder = "Search, type:…, path:…";
  field.setAttribute("aria-label", "Search: words, type:name, path:text, dtype:name, shape:sizes, -word");
  let timer = 0;
  let sought = "";
  const start = () => {
    clearTimeout(timer);
    sought = field.value;
    search.start(field.value);
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(start, PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // a notebook has meanings of its own for keys
    if (event.key === "Escape") field.value = "";
    if (event.key === "Escape" || (event.key === "Enter" && sought !== field.value)) start();
    else if (event.key === "Enter") search.go(event.shiftKey ? -1 : 1);
  });
  return field;
}

/**
 * A button that shows and hides what the keyboard does.
 * @param {HTMLElement} bar
 */
function makeHelp(bar) {
  const help = made("dl", "tv-help");
  help.hidden = true;
  for (const [keys = "", meaning = ""] of KEYS) {
    const [term, text] = [made("dt"), made("dd")];
    term.textContent = keys;
    text.textContent = meaning;
    help.append(term, text);
  }
  const button = makeButton(
    "?",
    () => {
      if (!help.isConnected) bar.append(help);
      help.hidden = !help.hidden;
      button.setAttribute("aria-expanded", String(!help.hidden));
    },
    "What the keyboard does",
  );
  button.setAttribute("aria-expanded", "false");
  return button;
}
