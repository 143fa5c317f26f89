// Values to be copied. The kernel writes them in full; without it there is what the tree shows.

class LiveCopy {
  /** @param {Live} live */
  constructor(live) {
    this.live = live;
    /** What tells an answer from that to an earlier question. */
    this.serial = 0;
    /** @type {((found: {text: string, exact: boolean}) => void) | null} */
    this.done = null;
    this.at = 0;
  }

  /**
   * The text of a node.
   * @param {number} at
   * @returns {Promise<{text: string, exact: boolean}>}
   */
  ask(at) {
    const { live } = this;
    this.serial += 1;
    this.at = at;
    const [part, child] = live.shown.live.place(at);
    return new Promise((resolve) => {
      this.done = resolve;
      live.ask({ kind: "value", view: live.view, serial: this.serial, part, child });
    });
  }

  /** @param {Answer} answer */
  take({ serial, text = "", exact = false }) {
    if (serial !== this.serial) return;
    this.done?.({ text, exact });
    this.done = null;
  }

  giveUp() {
    if (!this.done) return;
    const { text } = wholeText(this.live.shown.live, this.at);
    this.take({ kind: "value", serial: this.serial, text });
  }
}
