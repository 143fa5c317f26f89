// The controls above a live tree.

/** @param {Live} live */
function makeLiveBar(live) {
  const { search } = live;
  const bar = made("div", "tv-bar");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Search");
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
  bar.append(
    field,
    makeButton("‹", () => search.go(-1), "Previous match"),
    makeButton("›", () => search.go(1), "Next match"),
    live.said,
  );
  return bar;
}
