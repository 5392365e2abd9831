// The microphone on the audio thread: any rate in, PCM16 at 16 kHz in frames of 20 ms out.

import { Resampler } from "./resampler.js";

const RATE = 16000;
const FRAME = 320;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.position = 0; // of the first sample of `frame`
    this.started = null; // audio time of sample 0
  }

  process([input]) {
    const sound = input[0] ?? new Float32Array(128);
    this.started ??= currentTime;
    for (const sample of this.resampler.push(sound)) {
      this.frame[this.filled++] = Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
      if (this.filled === FRAME) this.send();
    }
    return true;
  }

  send() {
    const samples = this.frame;
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.port.postMessage({ position: this.position, started: this.started, samples }, [samples.buffer]);
    this.position += FRAME;
  }
}

registerProcessor("capture", Capture);
