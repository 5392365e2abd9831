// The reply on the audio thread: a queue of frames that can be dropped or replaced at once.
//
// Frames of the reply are numbered from 0; silence has no number. The server counts frames that it
// replaced too late only up to the first of them, so its numbers are smaller by `added`.

import { Resampler } from "./resampler.js";

const REPORT_SECONDS = 0.05;
const IDLE_SECONDS = 1;
const SHORTEST_LEAD = 0.06; // seconds of sound that are queued before it is played
const LONGEST_LEAD = 0.12;
const UNDERRUN_WITHIN = 0.5; // seconds; sound that comes later after silence was not missing
const STEP = 64; // frames that are resampled at a time

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.lead = SHORTEST_LEAD;
    this.reset({ stream: null, rate: sampleRate });
    this.port.onmessage = ({ data }) => this[data.do](data);
  }

  /** Start over: another stream's frames, `rate` a second, begin at 0. What is queued is dropped. */
  reset({ stream, rate }) {
    this.stream = stream;
    this.rate = rate;
    this.resampler = new Resampler(rate, sampleRate);
    this.ready = new Float32Array(0); // sound at the device's rate
    this.queue = []; // Float32Arrays
    this.queued = 0; // frames in `queue`
    this.taken = 0; // frames given to the device
    this.added = 0;
    this.anchor = { since: 0, number: 0, time: null };
    this.starved = -1;
    this.underruns = 0;
    this.playing = false;
    this.waiting = null; // since when sound waits to be played
    this.fall = new Float32Array(0); // the fading rest of what was dropped
    this.reported = 0;
  }

  play({ sound }) {
    if (!this.playing && !this.queued) {
      this.waiting = currentTime;
      const missed = this.ranDry !== undefined && currentTime - this.ranDry < UNDERRUN_WITHIN;
      if (missed) this.lead = Math.min(LONGEST_LEAD, this.lead + 0.02);
      if (missed) this.underruns += 1;
    }
    this.append(sound);
  }

  append(sound) {
    if (!sound.length) return;
    this.queue.push(sound);
    this.queued += sound.length;
  }

  /** Replace the frames from `first` on, as the server counts, by `sound`, fading over `fade`. */
  replace({ first: number, sound, fade }) {
    const first = number + this.added;
    const begun = Math.max(first, this.taken);
    const kept = this.next(Math.max(0, first - this.taken));
    const dropped = this.playing || kept.length ? this.next(fade, kept.length) : new Float32Array(0);
    const instead = sound.slice(Math.min(sound.length, begun - first));
    this.added += Math.max(0, begun - first - sound.length);
    dropped.forEach((sample, i) => (dropped[i] = sample * (1 - (i + 1) / (dropped.length + 1))));
    if (instead.length) {
      dropped.slice(0, instead.length).forEach((sample, i) => {
        instead[i] = instead[i] * ((i + 1) / (dropped.length + 1)) + sample;
      });
    } else if (kept.length) {
      const count = Math.min(fade, kept.length);
      for (let i = 1; i <= count; i++) kept[kept.length - i] *= i / (count + 1);
    } else {
      this.fall = dropped;
    }
    this.queue = [];
    this.queued = 0;
    this.append(kept);
    this.append(instead);
    if (!this.queued) this.silence();
    else if (!this.playing) this.waiting ??= currentTime;
    this.report("replaced");
  }

  process(_, [[channel]]) {
    if (!this.playing && this.queued && this.enough()) this.start();
    this.anchor.time = this.playing ? currentTime : this.anchor.time;
    this.anchor.number = this.playing ? this.taken : this.anchor.number;
    while (this.ready.length < channel.length) {
      const more = this.resampler.push(this.render(STEP));
      const sound = new Float32Array(this.ready.length + more.length);
      sound.set(this.ready);
      sound.set(more, this.ready.length);
      this.ready = sound;
    }
    channel.set(this.ready.subarray(0, channel.length));
    this.ready = this.ready.subarray(channel.length);
    const every = this.playing ? REPORT_SECONDS : IDLE_SECONDS;
    if (currentTime - this.reported >= every) this.report("playing");
    return true;
  }

  /** The next `count` frames of sound, silence where there is none. */
  render(count) {
    const sound = new Float32Array(count);
    if (this.playing) {
      sound.set(this.take(count));
      if (!this.queued) this.end();
    }
    this.fall.subarray(0, count).forEach((sample, i) => (sound[i] += sample));
    this.fall = this.fall.subarray(count);
    return sound;
  }

  /** Whether what is queued may be played: it is long enough, or has waited long enough. */
  enough() {
    return this.queued >= this.lead * this.rate || currentTime - this.waiting >= this.lead;
  }

  start() {
    this.playing = true;
    this.waiting = null;
    this.anchor = { since: this.taken, number: this.taken, time: currentTime };
    this.report("started");
  }

  end() {
    this.ranDry = currentTime;
    this.silence();
    this.report("ended");
  }

  silence() {
    this.playing = false;
    this.waiting = null;
    this.starved = this.taken;
  }

  /** A copy of the next `count` queued frames, or fewer, after the first `skipped`. */
  next(count, skipped = 0) {
    const frames = new Float32Array(Math.max(0, Math.min(count, this.queued - skipped)));
    let at = -skipped;
    for (const sound of this.queue) {
      if (at >= frames.length) break;
      const part = sound.subarray(Math.max(0, -at), frames.length - at);
      if (part.length) frames.set(part, Math.max(0, at));
      at += sound.length;
    }
    return frames;
  }

  /** Take the next `count` frames out of the queue, or fewer. */
  take(count) {
    const frames = this.next(count);
    let rest = frames.length;
    while (rest >= (this.queue[0]?.length ?? Infinity)) rest -= this.queue.shift().length;
    if (rest) this.queue[0] = this.queue[0].subarray(rest);
    this.queued -= frames.length;
    this.taken += frames.length;
    return frames;
  }

  report(kind) {
    this.reported = currentTime;
    const { stream, added, underruns } = this;
    const { since, number, time } = this.anchor;
    this.port.postMessage({
      kind,
      time: currentTime,
      position: {
        stream,
        taken: this.taken - added,
        since: Math.max(0, since - added),
        number: Math.max(0, number - added),
        time,
        starved: this.starved < 0 ? -1 : this.starved - added,
        underruns,
      },
    });
  }
}

registerProcessor("playback", Playback);
