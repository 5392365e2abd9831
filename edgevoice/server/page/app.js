// The app: joins connection, sound, captions and controls.

import { Captions } from "./captions.js";
import { addControls } from "./controls.js";
import { Link } from "./link.js";
import { note } from "./log.js";
import { me } from "./pairing.js";
import { Preferences } from "./preferences.js";
import { Problems } from "./problems.js";
import { Sound } from "./sound.js";
import { recall, remember, tab } from "./storage.js";
import { Talk } from "./talk.js";
import { known, text } from "./texts.js";
import { seconds, Timing } from "./timing.js";

const REFUSALS = 3; // failed attempts after which the certificate may be the reason
const RATE = 24000; // of the reply: that of most voices

const find = (id) => document.getElementById(id);

export class App {
  /** `ensurePaired` asks for a code if this device is not paired. */
  constructor(ensurePaired) {
    this.ensurePaired = ensurePaired;
    this.state = "connecting"; // what the server does
    this.place = null; // in the queue
    this.muted = false;
    this.failures = 0; // attempts to connect since the last success
    this.ended = false; // by the server; only the user begins again
    this.problems = new Problems(find("problems"), find("status"));
    this.captions = new Captions(find("captions"), find("live"));
    this.timing = new Timing(find("waterfall"));
    this.sound = new Sound({
      frame: (frame) => this.frame(frame),
      position: (position) => this.position(position),
      microphoneLost: () => this.microphoneLost(),
      clockChanged: () => this.link.wanted && this.link.restart(),
    });
    this.talk = new Talk(find("talk"), find("status"), {
      start: () => this.start(),
      stop: () => this.link.send({ type: "stop" }),
      mute: (on) => this.mute(on),
      press: (on) => this.press(on),
    });
    this.preferences = new Preferences(find("settings"), (changed) => {
      this.link.send({ type: "settings", ...changed });
      this.show();
    });
    const on = {
      opened: (welcome) => this.opened(welcome),
      message: (message) => this.receive(message),
      sound: (message) => this.sound.speaker.accept(message),
      lost: () => this.lost(),
      refused: (error) => this.refused(error),
    };
    this.link = new Link(on, () => this.hello(), () => this.sound.now);
    addControls(this);
    this.setQuiet(recall("quiet") === "true");
  }

  open() {
    this.link.open();
    this.show();
    if (!navigator.mediaDevices) this.noMicrophone("insecure");
  }

  // To the server.

  hello() {
    return {
      ...this.preferences.wished,
      rate: RATE,
      capture: this.sound.microphone.open,
      echo_cancellation: Boolean(this.sound.microphone.echoCancellation),
      client: "page",
    };
  }

  /** Whether the microphone's sound goes to the server; otherwise silence goes there. */
  get sending() {
    const pressed = this.preferences.mode === "hands-free" || this.talk.pressed;
    return !this.muted && pressed;
  }

  /** Open the microphone and the speaker, in a tap. */
  async start() {
    if (this.ended) this.link.open();
    this.ended = false;
    const reasons = ["insecure", "denied", "missing", "busy", "failed", "microphone-lost"];
    this.problems.resolve(...reasons);
    try {
      await this.sound.startBoth();
    } catch (error) {
      note("no-microphone", { error: String(error) });
      await this.noMicrophone(error.reason ?? "failed");
    }
    this.capture();
    this.show();
  }

  /** Say why there is no microphone, and what to do about it. */
  async noMicrophone(reason) {
    const { certificate } = reason === "insecure" ? await me() : {};
    this.problems.show(reason, { origin: location.origin }, certificate);
  }

  async ask(question) {
    await this.sound.start();
    this.link.deliver({ type: "text", text: question });
  }

  mute(on) {
    this.muted = on;
    this.link.send({ type: "mute", on });
    this.show();
  }

  press(on) {
    this.link.send({ type: "talk", pressed: on });
    this.show();
  }

  /** Say whether the microphone is open. */
  capture() {
    this.link.send({ type: "capture", on: this.sound.microphone.open });
  }

  setQuiet(on) {
    this.quiet = on;
    remember("quiet", String(on));
    this.captions.reading = on;
    find("quiet").setAttribute("aria-pressed", on);
    this.speak();
  }

  /** Have replies spoken, if they are wanted and can be heard. */
  speak() {
    this.link.send({ type: "speak", on: !this.quiet && this.sound.speaks });
  }

  frame({ time, samples, level }) {
    this.talk.level(this.sending ? level : 0);
    this.link.speech(time, this.sending ? samples : new Int16Array(samples.length));
  }

  position(position) {
    if (!this.link.ready) return;
    const { origin } = this.link;
    const time = position.time === null ? null : position.time - origin;
    this.link.send({ type: "position", ...position, time, sent: this.sound.now - origin });
  }

  // From the server.

  opened(welcome) {
    this.failures = 0;
    this.place = null;
    this.state = welcome.ready ? "listening" : "loading";
    this.problems.resolve("unreachable", "certificate", "error");
    this.sound.speaker.reset(welcome);
    this.captions.restore(welcome.history);
    this.preferences.inEffect(welcome);
    if (welcome.muted !== this.muted) this.mute(this.muted);
    this.speak();
    this.show();
  }

  receive(message) {
    switch (message.type) {
      case "queued":
        this.place = message.place;
        this.link.frames = [];
        return this.show();
      case "ready":
        if (this.state === "loading") this.state = "listening";
        return this.show();
      case "state":
        this.state = message.state;
        note("state", { state: message.state });
        return this.show();
      case "turn":
        return this.turn(message);
      case "notice":
        return this.problems.say(message);
      default:
        return this.captions.receive(message);
    }
  }

  turn(message) {
    const { turn, response_ms: ms, answered, interrupted } = message;
    note("turn", { turn, response: ms, answered, interrupted });
    if (ms !== null) this.captions.time(turn, seconds(ms), () => this.timing.show(message));
    this.captions.ended(turn, interrupted ? message.heard : null);
  }

  async lost() {
    this.failures += 1;
    this.show();
    const server = await me().catch(() => null);
    if (this.failures < 1) return; // it is back
    if (server && !server.paired) {
      this.link.close();
      await this.ensurePaired();
      return this.open();
    }
    if (this.failures < REFUSALS) return;
    if (!server) return this.problems.show("unreachable");
    if (location.protocol === "https:" && !server.busy) this.problems.show("certificate", {}, server.certificate);
  }

  refused(error) {
    this.ended = true;
    if (error.code !== "taken_over") remember("session", null, tab);
    const title = known(`problem-${error.code}`) ? `problem-${error.code}` : "problem-error";
    this.problems.panel("error", text(title), error.text, text("fix-error"));
    this.sound.stopMicrophone();
    this.show();
  }

  // This device.

  microphoneLost() {
    this.problems.show("microphone-lost");
    this.capture();
    this.show();
  }

  /** What the talk surface shows. */
  get view() {
    if (this.ended) return "off";
    if (!this.link.ready) return this.place !== null ? "queued" : this.failures ? "lost" : "connecting";
    if (["thinking", "speaking", "paused"].includes(this.state)) return this.state;
    if (!this.sound.microphone.open) return "off";
    return this.muted ? "muted" : this.state;
  }

  show() {
    const { view, link } = this;
    this.talk.show(view, { mode: this.preferences.mode, open: this.sound.microphone.open, place: this.place });
    const connection = find("connection");
    connection.textContent = text(link.ready ? "connected" : "not-connected");
    connection.classList.toggle("on", link.ready);
  }
}
