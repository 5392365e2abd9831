// The page's own log: what happened when, without what was said. In the console: edgevoice.log

const LONGEST = 1000;

export const log = [];

export function note(what, details = {}) {
  log.push({ at: performance.now(), what, ...details });
  if (log.length > LONGEST) log.shift();
}

window.edgevoice = { log };
