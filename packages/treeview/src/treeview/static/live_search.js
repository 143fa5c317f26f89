// Search in a live tree. The kernel looks through all of the object; the view goes from hit to hit.

const PAUSE = 250; // milliseconds after the last letter until a search starts

class LiveSearch {
  /** @param {Live} live */
  constructor(live) {
    this.live = live;
    /** What tells an answer from that to an earlier question. */
    this.serial = 0;
    this.count = 0;
    this.current = -1;
    /** @type {HTMLElement | null} The button that asks for the paths. */
    this.copy = null;
  }

  /** @param {string} text */
  start(text) {
    const { live } = this;
    if (this.copy) this.copy.hidden = true;
    this.serial += 1;
    this.count = 0;
    this.current = -1;
    live.say("");
    if (text.trim() === "") return;
    live.ask({ kind: "search", view: live.view, serial: this.serial, text });
  }

  /** @param {number} by */
  go(by) {
    if (this.count === 0) return;
    const next = this.current < 0 && by < 0 ? this.count - 1 : (this.current + by + this.count) % this.count;
    this.live.ask({ kind: "hit", view: this.live.view, hit: next });
  }

  askPaths() {
    this.live.ask({ kind: "paths", view: this.live.view });
  }

  /** @param {Answer} answer */
  take(answer) {
    if (answer.kind === "found" && answer.serial === this.serial) this.found(answer);
    if (answer.kind === "paths") void this.copyPaths(answer);
    if (answer.kind !== "hit") return;
    this.current = answer.hit ?? 0;
    this.live.say(`${(this.current + 1).toLocaleString("en-US")} of ${this.count.toLocaleString("en-US")}`);
    this.live.reveal(answer.place ?? [], false);
  }

  /** @param {Answer} answer */
  found(answer) {
    this.count = answer.count ?? 0;
    this.current = -1;
    const count = this.count.toLocaleString("en-US");
    const searched = (answer.searched ?? 0).toLocaleString("en-US");
    const part = answer.all ? "" : ` in the first ${searched} values`;
    this.live.say(`${this.count === 1 ? "1 value matches" : `${count} values match`}${part}`);
    if (this.copy) this.copy.hidden = this.count === 0;
    if (this.count > 0) this.go(1);
  }

  /** @param {Answer} answer */
  async copyPaths({ text = "", count = 0, hits = 0 }) {
    const { live } = this;
    if (await writeText(text)) {
      const all = count === hits ? "" : ` of ${hits.toLocaleString("en-US")} matches`;
      live.say(`${count.toLocaleString("en-US")} ${count === 1 ? "path" : "paths"}${all} copied`);
      return;
    }
    live.say(text);
    live.said.style.userSelect = "text";
    getSelection()?.selectAllChildren(live.said);
  }
}
