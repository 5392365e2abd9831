// Streaming sample-rate conversion with a windowed-sinc filter. Used for both directions.

const ZERO_CROSSINGS = 12; // on each side of the filter, at the lower of the two rates
const PHASES = 128; // positions between two input samples for which the filter is computed

export class Resampler {
  /** Converts sound from `from` to `to`, both in samples a second. */
  constructor(from, to) {
    this.step = from / to;
    const cutoff = Math.min(1, to / from) * 0.94;
    this.half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.filter = filterBank(this.half, cutoff);
    this.reset();
  }

  /** Forget the sound so far. */
  reset() {
    this.kept = new Float32Array(this.half); // silence before the first sample
    this.at = this.half; // the next output sample, in samples of `kept` and what follows it
  }

  /** The next piece of sound; it starts `half` input samples late, which are the filter's delay. */
  push(input) {
    if (this.step === 1) return input;
    const sound = new Float32Array(this.kept.length + input.length);
    sound.set(this.kept);
    sound.set(input, this.kept.length);
    const taps = 2 * this.half;
    const count = Math.max(0, Math.ceil((sound.length - this.half - this.at) / this.step));
    const output = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const whole = Math.floor(this.at);
      const kernel = this.filter[Math.floor((this.at - whole) * PHASES)];
      const first = whole - this.half + 1;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += sound[first + tap] * kernel[tap];
      output[i] = sum;
      this.at += this.step;
    }
    const used = Math.max(0, Math.floor(this.at) - this.half);
    this.kept = sound.slice(used);
    this.at -= used;
    return output;
  }
}

/** One kernel for each phase: a sinc under a Blackman window, scaled to a sum of 1. */
function filterBank(half, cutoff) {
  const bank = [];
  for (let phase = 0; phase < PHASES; phase++) {
    const kernel = new Float32Array(2 * half);
    let sum = 0;
    for (let tap = 0; tap < 2 * half; tap++) {
      const x = tap - half + 1 - phase / PHASES;
      const angle = (Math.PI * x) / half;
      const window = 0.42 + 0.5 * Math.cos(angle) + 0.08 * Math.cos(2 * angle);
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
      kernel[tap] = Math.abs(x) < half ? sinc * window : 0;
      sum += kernel[tap];
    }
    bank.push(kernel.map((value) => value / sum));
  }
  return bank;
}
