// What the page remembers on this device. Without storage (private windows) it forgets at reload.

export function recall(key, otherwise = null, storage = () => localStorage) {
  try {
    return storage().getItem(`edgevoice.${key}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key, value, storage = () => localStorage) {
  try {
    if (value === null) storage().removeItem(`edgevoice.${key}`);
    else storage().setItem(`edgevoice.${key}`, value);
  } catch {
    // The choice holds until the page is closed.
  }
}

/** For this tab only, and kept when it is reloaded. */
export const tab = () => sessionStorage;
