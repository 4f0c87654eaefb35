// A browser for the tests, and pages for it: the built page with a run in it, as `tcpstack export` writes it.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const HERE = import.meta.dirname;
const EMPTY_DATA = '<script type="application/json" id="tcpstack-data">null</script>';

export const PAGE = join(HERE, "../dist/index.html");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Writes the page with this data in it, and returns its address. */
export function exported(data) {
  const html = readFileSync(PAGE, "utf8");
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  const path = join(mkdtempSync(join(tmpdir(), "tcpstack-page-")), "page.html");
  writeFileSync(path, html.replace(EMPTY_DATA, () => EMPTY_DATA.replace("null", () => json)));
  return pathToFileURL(path).href;
}

/** A page whose every complaint is kept, and every address that it asks for. */
export async function visit(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.requested = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(error.stack));
  page.on("request", (request) => page.requested.push(request.url()));
  await page.goto(url);
  await settled(page);
  return page;
}

/** Until a run is shown, and its address has been written. */
export async function settled(page) {
  await page.waitForSelector("[data-view]");
  await page.waitForFunction(() => location.hash.includes("at="));
}

/** Follows a link within the page, until what it names is shown. */
export async function follow(page, link) {
  await page.evaluate((hash) => (location.hash = hash), link);
  await page.waitForFunction((values) => {
    const { dataset } = document.querySelector(".app");
    return (
      dataset.lesson === values.lesson &&
      dataset.scenario === values.scenario &&
      (!values.lang || document.documentElement.lang.startsWith(values.lang)) &&
      (!values.view || document.querySelector(`[data-view=${values.view}]`)) &&
      (!values.at || document.querySelector(".count")?.textContent.startsWith(`${Number(values.at) + 1} /`))
    );
  }, Object.fromEntries(new URLSearchParams(link.slice(1))));
}

/** What is drawn, once nothing moves any more: the elements of the runs and their views, and where they are scrolled to. */
export function picture(page) {
  return page.evaluate(async () => {
    const taken = () => {
      const panes = document.querySelector(".panes");
      const scrolled = [...panes.querySelectorAll("*")].flatMap(({ scrollTop }) => (scrollTop ? [Math.round(scrollTop)] : []));
      // The order of an element's classes is that of their changes, and shows nothing.
      const html = panes.innerHTML.replaceAll(/class="([^"]*)"/g, (_, names) => `class="${names.split(" ").sort().join(" ")}"`);
      return `${scrolled} ${html}`;
    };
    const STILL_FRAMES = 8;
    let last = taken();
    for (let still = 0; still < STILL_FRAMES; ) {
      await new Promise((done) => requestAnimationFrame(done));
      const now = taken();
      still = now === last ? still + 1 : 0;
      last = now;
    }
    return last;
  });
}

/** Presses a key many times, as fast as the page can follow. */
export async function press(page, key, times) {
  await page.evaluate(
    async ({ key, times }) => {
      for (let count = 0; count < times; count++) {
        window.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        await Promise.resolve();
        if (count % 20 === 0) await new Promise((done) => requestAnimationFrame(done));
      }
    },
    { key, times },
  );
}

/** Every piece of text that is seen, with the size of its letters. */
export function texts(page) {
  return page.evaluate(() => {
    const seen = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { parentElement: element, textContent } = walker.currentNode;
      const text = textContent.trim();
      if (!text || element.closest("script, style") || !element.checkVisibility({ visibilityProperty: true })) continue;
      seen.push({
        text,
        px: parseFloat(getComputedStyle(element).fontSize),
        isCode: Boolean(element.closest("code, .mono, [lang]:not(html)")) || getComputedStyle(element).fontFamily.includes("mono"),
      });
    }
    return seen;
  });
}
