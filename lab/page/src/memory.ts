// What the page remembers from visit to visit. From disk, or with storage forbidden, it remembers nothing.

const PREFIX = "tcpstack-lab.";

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Only the next visit suffers.
  }
}
