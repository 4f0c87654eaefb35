// The colours of the theme for a canvas, which no style sheet reaches.

import { onMount } from "svelte";

/** Follows the theme while a component lives; reading a colour makes the reader follow it as well. */
export function watchTheme(): { colours: (of: Element) => (name: string) => string } {
  let version = $state(0);
  onMount(() => {
    const observer = new MutationObserver(() => version++);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  });
  return {
    colours(of) {
      void version;
      const style = getComputedStyle(of);
      return (name) => style.getPropertyValue(name).trim();
    },
  };
}
