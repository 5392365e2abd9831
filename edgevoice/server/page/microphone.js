// The microphone: asks for it, and says why where there is none.

import { note } from "./log.js";

const RATE = 16000;
/** The canceller is to remove all that this device plays, not only calls. */
const WISHED = {
  echoCancellation: { ideal: "all" },
  noiseSuppression: true,
  autoGainControl: true,
  channelCount: 1,
};

/** Why there is no microphone: `reason` is insecure, denied, missing, busy or failed. */
export class MicrophoneError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export class Microphone {
  /** `on` has frame({time, samples, level}) and lost(). */
  constructor(on) {
    this.on = on;
    this.stream = null;
    this.echoCancellation = null; // what the browser says it does
  }

  get open() {
    return this.stream?.active ?? false;
  }

  /** Open the microphone on `context`; raises MicrophoneError. */
  async start(context) {
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneError("insecure");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: WISHED });
    } catch (error) {
      throw new MicrophoneError(REASONS[error.name] ?? "failed");
    }
    const [track] = this.stream.getAudioTracks();
    track.onended = () => this.on.lost();
    this.echoCancellation = track.getSettings().echoCancellation ?? null;
    this.source = context.createMediaStreamSource(this.stream);
    this.node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
    this.node.port.onmessage = ({ data }) => this.receive(data);
    this.source.connect(this.node);
    note("microphone", { echoCancellation: this.echoCancellation });
  }

  stop() {
    this.source?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
  }

  receive({ position, started, samples }) {
    this.on.frame({ time: started + position / RATE, samples, level: level(samples) });
  }
}

/** The level of a frame on a scale that looks even, 0 to 1 for -60 to 0 dBFS. */
function level(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const dbfs = 10 * Math.log10(sum / samples.length / 32768 ** 2 + 1e-9);
  return Math.max(0, Math.min(1, 1 + dbfs / 60));
}
