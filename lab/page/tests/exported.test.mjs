// Pages that `tcpstack export` writes: from disk, without a network, and within other pages.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { folder, launch, settled, visit } from "./browser.mjs";
import { BINARY } from "./lab.mjs";

const VIEWS = ["sequence", "header", "buffers", "states", "time_sequence", "congestion", "why"];

let browser;
let written;
before(async () => {
  written = folder();
  browser = await launch();
});
after(() => browser?.close());

/** The address of a page that the command has written. */
function exported(name, ...asked) {
  const path = join(written, `${name}.html`);
  execFileSync(BINARY, ["export", ...asked, "--to", path]);
  return pathToFileURL(path).href;
}

async function done(page) {
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(page.requested.filter((address) => !/^(file|data):/.test(address)), []);
  await page.context().close();
}

test("an exported lesson opens from disk with the network off, and links lead into it", async () => {
  const url = exported("lesson", "1");
  const page = await visit(browser, `${url}#lesson=1&scenario=open&view=buffers&at=40&lang=zh`, { offline: true });
  assert.match(await page.locator(".count").innerText(), /^41 \//);
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  assert.ok(await page.locator("[data-view=buffers]").isVisible());
  await page.locator("[data-flight]").first().click();
  assert.ok((await page.locator(".cannot").innerText()).includes("导出"), "it is told why nothing can be played again");
  await page.keyboard.press("Escape");
  for (const view of VIEWS) {
    await page.locator(`[data-tab=${view}]`).click();
    assert.ok(await page.locator(`[data-view=${view}]`).isVisible(), view);
  }
  await done(page);
});

test("what was done to a run, and the language and theme that were asked for, are there when it opens", async () => {
  const url = exported("dropped", "1", "--rule", "client:1:drop", "--lang", "zh", "--theme", "dark");
  const page = await visit(browser, url, { offline: true });
  assert.equal(await page.locator(".pane").count(), 2);
  assert.equal(await page.locator(".parting-name").count(), 2);
  assert.ok((await page.locator(".difference span").innerText()).length > 10);
  assert.deepEqual(
    await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]),
    ["zh-CN", "dark"],
  );
  await page.locator(".original").click();
  await page.waitForSelector("[data-pane='1']", { state: "detached" });
  await done(page);
});

test("the course in a folder: from the index to a lesson, and from lesson to lesson, in the language that is read", async () => {
  const course = join(written, "course");
  execFileSync(BINARY, ["export", "--all", "--lang", "en", "--to", course]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, offline: true });
  const page = await context.newPage();
  page.complaints = [];
  page.requested = [];
  page.on("pageerror", (error) => page.complaints.push(error.stack));
  page.on("request", (request) => page.requested.push(request.url()));
  await page.goto(pathToFileURL(join(course, "index.html")).href);
  await page.locator("header a").click();
  await page.waitForURL(/index\.zh\.html$/);
  await page.locator("a[href*='scenario=one-lost']").click();
  await settled(page);
  assert.match(page.url(), /06-loss\.html#.*scenario=one-lost/);
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  await page.locator(".list-button").click();
  await page.locator(".list button").nth(8).click();
  await page.waitForURL(/09-time-wait\.html#lesson=9/);
  await settled(page);
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  await done(page);
});

test("within a page that gives it neither address nor memory, it works all the same", async () => {
  exported("inner", "1");
  const inner = readFileSync(join(written, "inner.html"), "utf8").replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const outer = join(written, "outer.html");
  writeFileSync(outer, `<!doctype html><iframe sandbox="allow-scripts" width="1200" height="700" srcdoc="${inner}"></iframe>`);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, offline: true });
  const page = await context.newPage();
  await page.clock.install();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.stack));
  await page.goto(pathToFileURL(outer).href);
  const frame = page.frameLocator("iframe");
  await frame.locator("[data-view=sequence]").waitFor();
  await frame.locator("[data-step=event]").click();
  await frame.locator(".count", { hasText: /^2 \// }).waitFor();
  await frame.locator("[data-tab=states]").click();
  await frame.locator("[data-view=states]").waitFor();
  await frame.locator(".language").click();
  await frame.locator("html[lang=zh-CN]").waitFor();
  await frame.locator(".theme").click();
  await frame.locator("html[data-theme=dark]").waitFor();
  // Past the pause after which the address would be written.
  await frame.locator("[data-step=event]").click();
  await page.clock.runFor(60_000);
  assert.deepEqual(complaints, []);
  await context.close();
});
