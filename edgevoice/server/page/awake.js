// Keeps the screen on while the microphone is open. Browsers without that simply let it go off.

let lock = null;
let wanted = false;

async function request() {
  if (!wanted || document.hidden || !navigator.wakeLock) return;
  lock = await navigator.wakeLock.request("screen").catch(() => null);
}

/** Keep the screen on, or no longer. */
export function stayAwake(on) {
  wanted = on;
  if (on) request();
  else lock?.release().catch(() => null);
}

// The browser takes the lock back when the page is hidden.
document.addEventListener("visibilitychange", request);
