// Microphone and speaker on one audio clock, which is also the connection's.

import { stayAwake } from "./awake.js";
import { note } from "./log.js";
import { Microphone, MicrophoneError } from "./microphone.js";
import { Speaker } from "./speaker.js";

export class Sound {
  /** `on` has frame(frame), position(position), microphoneLost(), clockChanged(). */
  constructor(on) {
    this.on = on;
    this.context = null;
    this.loaded = null;
    this.speaker = new Speaker((position) => on.position(position));
    this.microphone = new Microphone({
      frame: (frame) => on.frame(frame),
      lost: () => {
        this.stopMicrophone();
        on.microphoneLost();
      },
    });
  }

  /** Start the speaker; must be called in a tap or a key press, which browsers ask for. */
  async start() {
    await this.context?.resume();
    this.loaded ??= this.load();
    await this.loaded;
  }

  async load() {
    if (navigator.audioSession) navigator.audioSession.type = "play-and-record"; // Safari
    const context = new AudioContext({ latencyHint: "interactive" });
    if (!context.audioWorklet) return; // an address that is not secure: replies are only shown
    const running = context.resume();
    await context.audioWorklet.addModule("playback-worklet.js");
    await context.audioWorklet.addModule("capture-worklet.js");
    await running;
    this.context = context;
    await this.speaker.start(context);
    note("audio", { rate: context.sampleRate });
    this.on.clockChanged();
    context.onstatechange = () => this.stateChanged();
  }

  /** While a call or the background stops the audio, its clock stands still. */
  stateChanged() {
    note("audio", { state: this.context.state });
    if (this.context.state === "running") this.on.clockChanged();
    else if (!document.hidden) this.context.resume().catch(() => null);
  }

  /** Start both; raises MicrophoneError. The speaker works all the same then. */
  async startBoth() {
    await this.start();
    if (!this.context) throw new MicrophoneError("insecure");
    if (this.microphone.open) return;
    await this.microphone.start(this.context);
    await this.speaker.route();
    stayAwake(true);
  }

  stopMicrophone() {
    this.microphone.stop();
    stayAwake(false);
  }

  /** Whether replies can be heard. */
  get speaks() {
    return this.context !== null;
  }

  /** The time in seconds. Before the first tap there is no audio clock. */
  get now() {
    return this.context?.currentTime ?? performance.now() / 1000;
  }
}
