// The connection to the server: one WebSocket that comes back by itself, and keeps the conversation.

import { note } from "./log.js";
import { recall, remember, tab } from "./storage.js";

const VERSION = 1;
const RATE = 16000;
const FIRST_WAIT = 250; // ms before the first new attempt; twice as long each time
const LONGEST_WAIT = 1500;
const PATIENCE = 1500; // ms until another attempt is made beside one that has no answer
const MOST_ATTEMPTS = 3; // at the same time; the first that succeeds is used
const PING_EVERY = 1000;
const SILENCE_IS_DEAD = 5000;
const MOST_UNSENT = 16000; // bytes in the socket; the rest waits here, where the oldest can be dropped
const MOST_WAITING = 500; // frames: 10 s of speech
const MOST_SAMPLES = 4096; // in one message
const FINAL = ["taken_over", "revoked", "full", "idle", "bad_hello", "failed"];

export class Link {
  /** `on` has opened(welcome), message(message), sound(message), lost(), refused(error);
   * `hello()` gives what the page asks for, `clock()` the time in seconds. */
  constructor(on, hello, clock) {
    this.on = on;
    this.hello = hello;
    this.clock = clock;
    this.origin = 0; // the time that is 0 for this connection
    this.socket = null;
    this.attempts = []; // sockets that are not open yet
    this.wanted = this.ready = false;
    this.wait = FIRST_WAIT;
    this.frames = []; // speech that waits to be sent: {time, samples}
    this.messages = []; // and what else must not be lost
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  open() {
    if (this.wanted) return;
    this.wanted = true;
    this.attempt();
  }

  /** Connect once more, for example because the clock is another. */
  restart() {
    this.wanted = true;
    this.drop();
    this.attempt();
  }

  close() {
    this.wanted = false;
    this.drop();
  }

  attempt() {
    const address = new URL("v1/session", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    const socket = new WebSocket(address, "edgevoice.v1");
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.greet(socket);
    socket.onclose = () => this.failed(socket);
    this.attempts.push(socket);
    if (this.attempts.length > MOST_ATTEMPTS) abandon(this.attempts.shift());
    this.limit = setTimeout(() => this.attempt(), PATIENCE);
  }

  failed(socket) {
    this.attempts = this.attempts.filter((other) => other !== socket);
    if (!this.attempts.length) this.retry();
  }

  greet(socket) {
    const others = this.attempts.filter((other) => other !== socket);
    this.attempts = [];
    others.forEach(abandon);
    clearTimeout(this.limit); // from here on pings tell whether the server is there
    this.socket = socket;
    socket.onmessage = ({ data }) => this.receive(data);
    socket.onclose = () => this.retry();
    this.heardAt = performance.now();
    this.pings = setInterval(() => this.ping(), PING_EVERY);
    this.origin = this.frames[0]?.time ?? this.clock();
    this.send({ type: "hello", version: VERSION, resume: recall("session", "", tab), ...this.hello() });
  }

  ping() {
    if (performance.now() - this.heardAt > SILENCE_IS_DEAD) return this.retry();
    this.send({ type: "ping", at: performance.now() });
    this.flush();
  }

  /** Try to connect at once: the network or the user is back. */
  hurry() {
    if (!this.wanted || this.socket) return;
    this.wait = FIRST_WAIT;
    this.retry(0);
  }

  retry(wait = this.wait) {
    if (this.ready) note("lost");
    this.drop();
    if (!this.wanted) return;
    this.on.lost();
    this.wait = Math.min(LONGEST_WAIT, 2 * this.wait);
    this.again = setTimeout(() => this.attempt(), wait);
  }

  drop() {
    clearTimeout(this.limit);
    clearTimeout(this.again);
    clearInterval(this.pings);
    this.ready = false;
    this.attempts.forEach(abandon);
    this.attempts = [];
    if (this.socket) abandon(this.socket);
    this.socket = null;
  }

  receive(data) {
    this.heardAt = performance.now();
    if (data instanceof ArrayBuffer) return this.on.sound(data);
    const message = JSON.parse(data);
    if (message.type === "pong") return;
    if (message.type === "ping") return this.send({ type: "pong", at: message.at });
    if (message.type === "error") return this.refuse(message);
    if (message.type === "welcome") return this.begin(message);
    this.on.message(message);
  }

  begin(welcome) {
    this.ready = true;
    this.wait = FIRST_WAIT;
    remember("session", welcome.session, tab);
    note("welcome", { resumed: welcome.resumed });
    this.on.opened(welcome);
    while (this.messages.length) this.send(this.messages.shift());
    this.flush();
  }

  refuse(error) {
    note("error", { code: error.code });
    this.wanted = !FINAL.includes(error.code);
    if (this.wanted) return this.retry();
    this.drop();
    this.on.refused(error);
  }

  /** Send a message; false where there is no connection. */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Send a message now, or once there is a connection. */
  deliver(message) {
    if (!this.ready || !this.send(message)) this.messages.push(message);
  }

  /** Send speech recorded at `time` now or, within limits, once the connection allows it. */
  speech(time, samples) {
    this.frames.push({ time, samples });
    if (this.frames.length > MOST_WAITING) this.frames.shift();
    this.flush();
  }

  flush() {
    while (this.ready && this.frames.length && this.socket.bufferedAmount < MOST_UNSENT) {
      const number = this.number(this.frames[0]);
      const sound = [];
      let count = 0;
      // Frames that follow each other go together: the server limits the number of messages.
      while (this.frames.length && this.number(this.frames[0]) === number + count) {
        if (count + this.frames[0].samples.length > MOST_SAMPLES) break;
        sound.push(this.frames.shift().samples);
        count += sound.at(-1).length;
      }
      const message = new ArrayBuffer(8 + 2 * count);
      new DataView(message).setBigUint64(0, BigInt(number), true);
      let at = 8;
      for (const samples of sound) {
        new Int16Array(message, at, samples.length).set(samples);
        at += samples.byteLength;
      }
      this.socket.send(message);
    }
  }

  /** The number of a frame's first sample in this connection. */
  number({ time }) {
    return Math.max(0, Math.round((time - this.origin) * RATE));
  }
}

function abandon(socket) {
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close();
}
