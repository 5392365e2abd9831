// Captions of both sides. The word that is being spoken is marked.

import { text } from "./texts.js";

const NEAR_END = 80; // pixels from the end of the list within which it follows new text

class Reply {
  /** Characters are counted as the server does: an emoji is one. */
  constructor(element) {
    this.element = element;
    this.characters = [];
    this.from = this.to = 0; // the word that is being spoken
    this.over = false;
    this.parts = ["said", "now", "rest"].map((name) => {
      const part = document.createElement(name === "now" ? "mark" : "span");
      part.className = name;
      return element.appendChild(part);
    });
  }

  /** `added` replaces everything from character `from` on. */
  replace(from, added) {
    this.characters = [...this.characters.slice(0, from), ...added];
    this.draw();
  }

  /** The first `count` characters were spoken; the last word of them is marked. */
  spoken(count) {
    if (this.over) return;
    this.to = count;
    const said = this.characters.slice(0, count).join("").trimEnd();
    this.from = [...said.slice(0, said.search(/\S+$/))].length;
    this.draw();
  }

  /** The reply is over; only `heard` of it was played, unless that is null. */
  finish(heard) {
    this.over = true;
    if (heard !== null) this.characters = [...heard];
    this.from = this.to = this.characters.length;
    this.element.classList.toggle("interrupted", heard !== null);
    this.draw();
  }

  draw() {
    const edges = [0, this.from, this.to, undefined];
    this.parts.forEach((part, i) => {
      part.textContent = this.characters.slice(edges[i], edges[i + 1]).join("");
    });
  }
}

export class Captions {
  /** `list` is the element that holds them, `live` reads texts to screen readers. */
  constructor(list, live) {
    this.list = list;
    this.live = live;
    this.heardOf = new Map(); // elements by turn
    this.replies = new Map();
    this.reading = false; // whether screen readers read the captions
  }

  /** Start over with an earlier conversation: [{role, text}]. */
  restore(history) {
    this.list.replaceChildren();
    this.heardOf.clear();
    this.replies.clear();
    for (const { role, text: words, interrupted } of history) {
      const element = this.entry(role);
      element.append(words);
      element.classList.toggle("interrupted", Boolean(interrupted));
    }
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** A message about what was said. */
  receive(message) {
    if (["heard", "dropped", "reply", "spoken"].includes(message.type)) this[message.type](message);
  }

  /** What was heard in a turn so far. It may continue an earlier turn. */
  heard({ turn, text: words, final, replaces = null }) {
    let element = this.heardOf.get(turn) ?? this.heardOf.get(replaces);
    this.heardOf.delete(replaces);
    this.following(() => {
      element ??= this.entry("user");
      this.heardOf.set(turn, element);
      element.textContent = words;
      element.classList.toggle("interim", !final);
    });
    if (final) this.announce("caption-you", words);
  }

  /** A turn that was none: noise, or continued by another. */
  dropped({ turn }) {
    this.heardOf.get(turn)?.parentElement.remove();
    this.heardOf.delete(turn);
  }

  reply({ turn, from, text: words }) {
    if (from === 0 && !words) return this.withdraw(turn);
    this.following(() => {
      let reply = this.replies.get(turn);
      if (!reply) {
        reply = new Reply(this.entry("assistant"));
        this.replies.set(turn, reply);
      }
      reply.replace(from, words);
    });
  }

  withdraw(turn) {
    this.replies.get(turn)?.element.parentElement.remove();
    this.replies.delete(turn);
  }

  /** The first `chars` characters of a reply were spoken. */
  spoken({ turn, chars }) {
    this.replies.get(turn)?.spoken(chars);
  }

  /** The reply of `turn` is over; only `heard` of it was played, unless that is null. */
  ended(turn, heard) {
    const reply = this.replies.get(turn);
    if (!reply || reply.over) return;
    reply.finish(heard);
    this.announce("caption-assistant", reply.characters.join(""));
  }

  /** A button in the caption of a turn, which shows its response time. */
  time(turn, label, onClick) {
    const entry = this.replies.get(turn)?.element.parentElement;
    if (!entry) return;
    this.following(() => {
      let button = entry.querySelector("button");
      if (!button) {
        button = document.createElement("button");
        button.type = "button";
        button.className = "time";
        entry.append(button);
      }
      button.textContent = label;
      button.setAttribute("aria-label", text("show-waterfall", { time: label }));
      button.onclick = onClick;
    });
  }

  entry(role) {
    const entry = document.createElement("li");
    entry.className = role;
    const speaker = document.createElement("span");
    speaker.className = "hidden";
    speaker.textContent = `${text(role === "user" ? "you" : "assistant")}: `;
    const words = document.createElement("p");
    entry.append(speaker, words);
    this.list.append(entry);
    return words;
  }

  /** Change the list; its end stays in view if it was. */
  following(change) {
    const { list } = this;
    const follow = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
    change();
    if (follow) list.scrollTop = list.scrollHeight;
  }

  /** Have screen readers read a caption. Off while replies are spoken: two voices at once. */
  announce(key, words) {
    if (this.reading) this.live.textContent = text(key, { words });
  }
}
