// What went wrong, why, and what to do about it: a panel for each problem until it is dismissed.

import { text, known } from "./texts.js";

export class Problems {
  /** `place` is the element that holds the panels, `status` reads them to screen readers. */
  constructor(place, status) {
    this.place = place;
    this.status = status;
    this.panels = new Map();
  }

  /** Show a problem of this page, whose texts are problem-KEY, why-KEY and fix-KEY. */
  show(key, values = {}, link = null) {
    const [title, why, fix] = ["problem", "why", "fix"].map((part) => `${part}-${key}`);
    this.panel(key, text(title), known(why) ? text(why, values) : "", known(fix) ? text(fix, values) : "", link);
  }

  /** Show what the server says: {text, remedy}. */
  say({ text: title, remedy, kind = "notice" }) {
    this.panel(`server-${title}`, title, "", remedy ?? "", null, kind);
  }

  panel(key, title, why, fix, link, kind = "failure") {
    this.resolve(key);
    const panel = document.createElement("section");
    panel.className = `problem ${kind}`;
    panel.dataset.problem = key;
    const heading = document.createElement("h2");
    heading.textContent = title;
    panel.append(heading);
    for (const words of [why, fix].filter(Boolean)) {
      const paragraph = document.createElement("p");
      paragraph.textContent = words;
      panel.append(paragraph);
    }
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = anchor.textContent = link;
      panel.append(anchor);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "icon dismiss";
    close.textContent = "×";
    close.setAttribute("aria-label", text("dismiss"));
    close.onclick = () => this.resolve(key);
    panel.append(close);
    this.place.append(panel);
    this.panels.set(key, panel);
    this.status.textContent = [title, why, fix].filter(Boolean).join(" ");
  }

  /** Take a problem's panel away. */
  resolve(...keys) {
    for (const key of keys) {
      this.panels.get(key)?.remove();
      this.panels.delete(key);
    }
  }
}
