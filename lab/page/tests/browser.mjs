// A browser for the tests, and pages for it: the built page with a run in it, as `tcpstack export` writes it.

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** A folder for what a test writes. */
export function folder() {
  return mkdtempSync(join(tmpdir(), "tcpstack-page-"));
}

/** The page with this data in it. */
export function pageWith(data) {
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return readFileSync(PAGE, "utf8").replace(EMPTY_DATA, () => EMPTY_DATA.replace("null", () => json));
}

/** Does something with each of many, in two pages of the browser at a time. */
export async function inTwoPages(open, many, work) {
  const left = [...many];
  const one = async () => {
    const page = await open();
    for (let next = left.shift(); next; next = left.shift()) await work(page, next);
    return page;
  };
  return Promise.all([one(), one()]);
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

/** Presses a key until nothing moves any more, as fast as the page can follow. */
export async function pressToEnd(page, key, shiftKey = false) {
  await page.evaluate(
    async ({ key, shiftKey }) => {
      const counted = () => document.querySelector(".count").textContent;
      const PRESSES_A_FRAME = 20;
      for (let before; before !== counted(); ) {
        before = counted();
        for (let count = 0; count < PRESSES_A_FRAME; count++) {
          window.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
          await Promise.resolve();
        }
        await new Promise((done) => requestAnimationFrame(done));
      }
    },
    { key, shiftKey },
  );
}

/** Every piece of text that is seen and of this kind, with the size of its letters. */
export function texts(page, kind = /./) {
  return page.evaluate((source) => {
    const kind = new RegExp(source);
    const seen = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { parentElement: element, textContent } = walker.currentNode;
      // What is quoted is what a program says.
      const text = textContent.replaceAll(/"[^"]*"/g, "").trim();
      if (!kind.test(text) || element.closest("script, style") || !element.checkVisibility({ visibilityProperty: true })) continue;
      seen.push({
        text,
        px: parseFloat(getComputedStyle(element).fontSize),
        isCode: Boolean(element.closest("code, .mono, [lang]:not(html)")) || getComputedStyle(element).fontFamily.includes("mono"),
      });
    }
    return seen;
  }, kind.source);
}
