// The talk surface: one button that says what happens, and does what its hint says.

import { text } from "./texts.js";

const STOPPABLE = ["thinking", "speaking", "paused"];
const LEVEL_STEP = 0.06;
const ANNOUNCED = ["off", "connecting", "lost", "queued", "loading", "muted"];

export class Talk {
  /** `on` has start(), stop(), mute(on), press(on). */
  constructor(button, status, on) {
    this.button = button;
    this.status = status;
    this.on = on;
    this.label = button.querySelector(".state");
    this.hint = button.querySelector(".hint");
    this.mode = "hands-free";
    this.shown = "off";
    this.open = false;
    this.drawn = 0; // the level
    this.pressed = false;
    button.addEventListener("click", (event) => this.clicked(event));
    button.addEventListener("pointerdown", (event) => this.down(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(name, () => this.release());
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("keydown", (event) => this.key(event, true));
    addEventListener("keyup", (event) => this.key(event, false));
    addEventListener("blur", () => this.release());
  }

  /** Show a state, how to talk, whether the microphone is open, and the place in the queue. */
  show(state, { mode, open, place }) {
    const before = this.shown;
    this.mode = mode;
    this.open = open;
    this.shown = state;
    const holding = mode === "push-to-talk";
    const key = this.pressed ? "pressed" : holding && state === "listening" ? "ready" : state;
    const hint = !STOPPABLE.includes(key) || !open ? `hint-${key}` : holding ? "hint-hold" : "hint-interrupt";
    this.button.dataset.state = key;
    this.label.textContent = text(`state-${key}`);
    this.hint.textContent = text(hint, { place });
    if (holding) this.button.setAttribute("aria-pressed", this.pressed);
    else this.button.removeAttribute("aria-pressed");
    if (state === before) return;
    if (ANNOUNCED.includes(state) || ANNOUNCED.includes(before)) {
      this.status.textContent = `${this.label.textContent}. ${this.hint.textContent}`;
    }
  }

  /** The microphone's level, 0 to 1. Small changes are not worth a repaint. */
  level(value) {
    if (Math.abs(value - this.drawn) < LEVEL_STEP && value !== 0) return;
    if (value === this.drawn) return;
    this.drawn = value;
    this.button.style.setProperty("--level", value.toFixed(2));
  }

  get holds() {
    const unable = ["off", "connecting", "lost", "queued", "muted"].includes(this.shown);
    return this.mode === "push-to-talk" && this.open && !unable;
  }

  clicked(event) {
    if (this.holds) {
      // Screen readers click; a finger has pressed and released before.
      if (event.detail === 0) this.press(!this.pressed);
      return;
    }
    if (this.shown === "off") this.on.start();
    else if (STOPPABLE.includes(this.shown)) this.on.stop();
    else if (this.shown === "muted") this.on.mute(false);
    else if (["listening", "hearing", "asleep", "loading"].includes(this.shown)) this.on.mute(true);
  }

  down(event) {
    if (!this.holds || event.button !== 0) return;
    this.button.setPointerCapture(event.pointerId);
    this.press(true);
    this.held = true;
  }

  release() {
    if (!this.held) return;
    this.held = false;
    this.press(false);
  }

  /** The space bar holds the button, wherever it is not needed otherwise. */
  key(event, down) {
    if (event.key !== " " || !this.holds || document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (target !== this.button && target.matches("input, select, button, a")) return;
    event.preventDefault();
    if (event.repeat) return;
    this.held = down;
    this.press(down);
  }

  press(on) {
    if (on === this.pressed) return;
    this.pressed = on;
    this.on.press(on);
  }
}
