// Recordings in the page: one far too long for it, and one that is still being written.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { folder, launch, picture, visit } from "./browser.mjs";
import { Lab } from "./lab.mjs";
import { Recording } from "./recording.mjs";

const MANY_EVENTS = 100_000;

let browser;
let run;
const lab = new Lab();
before(async () => {
  browser = await launch();
  await lab.start("7");
  run = await lab.get("runs/7/reno");
  await lab.stop();
});
afterEach(() => lab.stop());
after(() => browser?.close());

const shown = async (page) => Number((await page.locator(".count").innerText()).split(" ")[0]);

test("of a hundred thousand events all are seen at once, and any part of them is a click away", async () => {
  const recording = new Recording(run, folder());
  const rounds = Math.ceil(MANY_EVENTS / recording.eventsOfRound);
  for (let round = 0; round < rounds; round++) recording.write();
  const total = rounds * recording.eventsOfRound;

  await lab.start(...recording.paths);
  const page = await visit(browser, lab.url);
  await page.waitForSelector(".overview path");
  assert.ok((await page.locator(".count").innerText()).endsWith(`/ ${total}`));

  // A click far to the right: the cursor stands there, and the diagram with it.
  const strip = page.locator(".overview svg");
  const { width, height } = await strip.boundingBox();
  await strip.click({ position: { x: width * 0.75, y: height / 2 } });
  await page.waitForFunction((least) => Number(document.querySelector(".count")?.textContent.split(" ")[0]) > least, total * 0.6);
  const there = await shown(page);
  assert.ok(there < total * 0.9, `${there} of ${total}`);
  assert.ok((await page.locator("[data-flight]").count()) > 3, "arrows are drawn there");

  // The window goes on and comes back.
  await page.locator(".overview button").nth(1).click();
  await page.waitForFunction((before) => Number(document.querySelector(".count").textContent.split(" ")[0]) !== before, there);
  assert.ok((await shown(page)) > there - 4_000);

  // Nearer: the strip tells of a shorter time.
  const span = () => page.locator(".overview svg text").allTextContents();
  const whole = await span();
  await page.locator(".overview button").nth(2).click();
  await page.waitForFunction((before) => document.querySelector(".overview svg text:last-of-type").textContent !== before, whole.at(-1));
  assert.notDeepEqual(await span(), whole);

  // Scrolling draws what it comes to, and not more than a window of it.
  const before = await picture(page);
  await page.locator(".scroller").evaluate((element) => (element.scrollTop += 5_000));
  assert.ok((await picture(page)) !== before);
  assert.ok((await page.locator("[data-flight]").count()) < 400, "thinned to what is in sight");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("what two programs write while one looks on appears, and nothing can be done to it", async () => {
  const recording = new Recording(run, folder());
  recording.write();
  await lab.start("--follow", ...recording.paths);
  const page = await visit(browser, lab.url);
  await page.waitForFunction((events) => document.querySelector(".count").textContent === `${events} / ${events}`, recording.eventsOfRound);
  assert.ok(await page.locator(".live").isVisible());
  const last = await page.locator("[data-flight]").last().getAttribute("data-flight");

  recording.write();
  await page.waitForFunction((events) => document.querySelector(".count").textContent === `${events} / ${events}`, 2 * recording.eventsOfRound);
  await page.waitForFunction((before) => Number([...document.querySelectorAll("[data-flight]")].at(-1).dataset.flight) > before, Number(last));
  await page.locator("[data-flight]").last().click();
  assert.match(await page.locator(".cannot").innerText(), /going on right now/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
