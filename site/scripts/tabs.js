/** What the tabs of one browser tell each other; nothing of it is kept. */

/** @typedef {{endsAt?: number, voter?: string, signedOut?: boolean}} News */

const NAME = "session";
// Safari before 15.4 has none. There the other tabs hear of what is put into the storage, and taken
// out again at once.
const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;

/** @param {News} news */
export function tellTabs(news) {
  if (channel) {
    channel.postMessage(news);
    return;
  }
  try {
    localStorage.setItem(NAME, JSON.stringify(news));
    localStorage.removeItem(NAME);
  } catch {
    // Storage is forbidden here: the API tells each tab when it asks.
  }
}

/**
 * Hear what another tab tells.
 * @param {(news: News) => void} hear
 */
export function onNews(hear) {
  channel?.addEventListener("message", ({ data }) => hear(data));
  if (channel) return;
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === NAME && newValue) hear(JSON.parse(newValue));
  });
}

/** Leave the page empty: anyone who comes next finds nothing of what was typed or shown. */
export function leave() {
  for (const form of document.forms) form.reset();
  location.replace("/index.html#deconnexion");
}

onNews(({ signedOut }) => {
  if (signedOut) leave();
});
