// The speaker: queues the reply's sound, drops it at once, and says what is being played.

import { note } from "./log.js";

const HEADER = 16; // bytes before the samples of a message
const PLAY = 0;
const SILENCE = new Int16Array(0);

export class Speaker {
  /** `onPosition(position)` is called with what is played, its time on the audio clock. */
  constructor(onPosition) {
    this.onPosition = onPosition;
    this.context = this.node = null;
    this.stream = null;
    this.element = new Audio();
  }

  /** Connect to `context`.
   *
   * The sound goes through an audio element: phones' echo cancellers hear only those. */
  async start(context) {
    this.context = context;
    this.node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }) => this.report(data);
    this.output = context.createMediaStreamDestination();
    this.node.connect(this.output);
    await this.route();
  }

  /** Give the sound to the audio element anew. Needed after the microphone was opened. */
  async route() {
    this.element.srcObject = null;
    this.element.srcObject = this.output.stream;
    await this.element.play();
  }

  /** A message with sound: append it, or put it in the place of what was not played. */
  accept(message) {
    const header = new DataView(message, 0, HEADER);
    const first = Number(header.getBigUint64(0, true));
    const count = header.getUint32(8, true);
    const fade = header.getUint16(12, true);
    const samples = count ? new Int16Array(message, HEADER, count) : SILENCE;
    const sound = Float32Array.from(samples, (sample) => sample / 32768);
    if (header.getUint8(14) === PLAY) return this.tell({ do: "play", sound }, [sound.buffer]);
    note("replace", { time: this.context?.currentTime, count });
    this.tell({ do: "replace", first, sound, fade }, [sound.buffer]);
  }

  /** The frames of another stream follow, `rate` a second, numbered from 0. */
  reset({ stream, rate }) {
    this.stream = stream;
    this.tell({ do: "reset", stream, rate });
  }

  tell(message, transfer = []) {
    this.node?.port.postMessage(message, transfer);
  }

  report({ kind, time, position }) {
    if (kind !== "playing") note(kind, { time, taken: position.taken });
    if (position.stream !== this.stream) return;
    if (position.time !== null) position.time += this.latency;
    this.onPosition(position);
  }

  /** Seconds until a frame is heard that was given to the device. */
  get latency() {
    return this.context?.outputLatency || this.context?.baseLatency || 0;
  }
}
