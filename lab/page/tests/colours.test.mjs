// The colours of both themes can be told apart from what they lie on: WCAG 2, level AA.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const css = readFileSync(join(import.meta.dirname, "../src/theme.css"), "utf8");
const light = tokens(/^:root \{([^}]*)\}/m);
const themes = { light, dark: { ...light, ...tokens(/^:root\[data-theme="dark"\] \{([^}]*)\}/m) } };

/** What is written (4.5 : 1), and on what. */
const TEXT = [
  ...["ink", "ink-2", "ink-3"].map((ink) => [ink, "panel"]),
  ...["ink", "ink-2"].flatMap((ink) => [[ink, "bg"], [ink, "panel-2"]]),
  ["ink", "cursor-band"],
  ["on-accent", "accent"],
  ["on-free", "free"],
  ["on-sent", "sent"],
  ["on-purple", "purple"],
  ["on-sacked", "sacked"],
  ...["lifeline-0", "lifeline-1", "lifeline-2", "lifeline-3", "retransmission", "lost", "good", "cursor", "accent"].map((ink) => [ink, "panel"]),
];
/** What is drawn (3 : 1). */
const DRAWN = Object.keys(light).filter((name) => /^(graph|limit)-/.test(name)).map((name) => [name, "panel"]);

for (const [name, theme] of Object.entries(themes)) {
  test(`${name}: text and lines stand out from what they lie on`, () => {
    const weak = [];
    for (const [pairs, least] of [[TEXT, 4.5], [DRAWN, 3]]) {
      for (const [ink, paper] of pairs) {
        const ratio = contrast(theme[ink], theme[paper]);
        if (ratio < least) weak.push(`${ink} on ${paper}: ${ratio.toFixed(2)}`);
      }
    }
    assert.deepEqual(weak, []);
  });
}

function tokens(block) {
  return Object.fromEntries([...block.exec(css)[1].matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
}

function contrast(a, b) {
  const [dark, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
