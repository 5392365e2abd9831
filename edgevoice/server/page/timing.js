// The response time of each turn and its waterfall, with the network as a span of its own.

import { text, known } from "./texts.js";

const WAITING = ["pause", "confirm", "output"];

export class Timing {
  /** `dialog` shows a waterfall. */
  constructor(dialog) {
    this.dialog = dialog;
    this.rows = dialog.querySelector("tbody");
    this.total = dialog.querySelector(".total");
  }

  /** Show the spans of a turn: {response_ms, spans: [{name, start_ms, ms}]}. */
  show({ response_ms: total, spans }) {
    this.total.textContent = text("response-time-is", { time: seconds(total) });
    this.rows.replaceChildren(...spans.map((span) => this.row(span, total)));
    this.dialog.showModal();
  }

  row({ name, start_ms: start, ms }, total) {
    const row = document.createElement("tr");
    const [head, bar, time] = ["th", "td", "td"].map((kind) => row.appendChild(document.createElement(kind)));
    const key = `span-${name.replace(/\W/g, "-")}`;
    head.scope = "row";
    head.textContent = known(key) ? text(key) : name;
    const filled = bar.appendChild(document.createElement("div"));
    filled.className = name === "network" ? "bar network" : WAITING.includes(name) ? "bar waiting" : "bar";
    filled.style.marginInlineStart = `${(100 * start) / (total || 1)}%`;
    filled.style.inlineSize = `${(100 * ms) / (total || 1)}%`;
    time.textContent = `${Math.round(ms)} ms`;
    return row;
  }
}

/** A time in ms as people read it. */
export function seconds(ms) {
  const language = document.documentElement.lang;
  const figure = (ms / 1000).toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `${figure} s`;
}
