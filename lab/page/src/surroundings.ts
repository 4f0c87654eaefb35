// What the page asks of what it lies in: an address, and a memory from visit to visit. From disk, with storage
// forbidden, or within another page that gives it neither, it goes on without.

const PREFIX = "tcpstack-lab.";

export function recall(key: string): string | null {
  return attempt(() => localStorage.getItem(PREFIX + key)) ?? null;
}

export function remember(key: string, value: string): void {
  attempt(() => localStorage.setItem(PREFIX + key, value));
}

/** What stands behind the `#` of an address, by default of this page's. */
export function hashOf(address?: string): string {
  return attempt(() => (address === undefined ? location.hash : new URL(address).hash)) ?? "";
}

/** Makes it the page's own, without a step in the history. */
export function replaceHash(hash: string): void {
  if (hash !== hashOf()) attempt(() => history.replaceState(null, "", hash));
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
