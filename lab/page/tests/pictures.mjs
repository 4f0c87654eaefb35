// Takes the pictures of docs/pictures anew: `node tests/pictures.mjs [NAME...]`, with the page and the command built.
// Where pngquant is installed they become a third as large.

import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { launch, picture, settled } from "./browser.mjs";
import { Lab } from "./lab.mjs";

const TO = join(import.meta.dirname, "../../../docs/pictures");

/** What is seen: a lesson's scenario at a moment of its run, what was done to it, and the other view. */
const PICTURES = [
  { name: "handshake", lesson: 1, scenario: "open", at: landmark("server-established"), view: "states" },
  { name: "handshake.zh", lesson: 1, scenario: "open", at: landmark("server-established"), view: "states", language: "zh" },
  { name: "header", lesson: 2, scenario: "hello", at: firstData, view: "header", height: 1060 },
  { name: "programs", lesson: 3, scenario: "talk", at: firstData, view: "sequence", programs: true },
  { name: "window", lesson: 5, scenario: "slow", at: closedWindow, view: "buffers" },
  { name: "dropped", lesson: 6, scenario: "ten", rules: "client.5.drop", view: "sequence", height: 900 },
  { name: "congestion", lesson: 7, scenario: "bbr", at: share(0.72), view: "congestion" },
  { name: "time-wait.zh", lesson: 9, scenario: "normal", at: share(0.97), view: "states", language: "zh" },
];

const wanted = process.argv.slice(2);
const [browser, lab] = await Promise.all([launch(), new Lab().start()]);
mkdirSync(TO, { recursive: true });
for (const one of PICTURES.filter(({ name }) => !wanted.length || wanted.includes(name))) await take(one);
await browser.close();
await lab.stop();

async function take({ name, lesson, scenario, at, rules, view, language = "en", height = 800, programs = false }) {
  const run = await lab.get(`runs/${lesson}/${scenario}`);
  const context = await browser.newContext({ viewport: { width: 1280, height }, locale: "en-US", reducedMotion: "reduce" });
  const page = await context.newPage();
  const values = { lesson, scenario, view, lang: language, theme: "light" };
  if (at) values.at = at(run);
  // Without a moment of its own a changed run stands where it parts from the other.
  if (rules) values.rules = rules;
  if (programs) values.programs = 1;
  await page.goto(`${lab.url}#${new URLSearchParams(values)}`);
  await settled(page);
  await picture(page);
  const path = join(TO, `${name}.png`);
  await page.screenshot({ path });
  await context.close();
  try {
    execFileSync("pngquant", ["--force", "--skip-if-larger", "--strip", "--speed", "1", "--output", path, "96", path]);
  } catch (error) {
    console.error(`${name}: as the browser wrote it (${error.code ?? error.message})`);
  }
  console.log(`${path}: ${Math.ceil(statSync(path).size / 1024)} KB`);
}

function landmark(id) {
  return (run) => run.landmarks.find((one) => one.id === id).at;
}

function share(of) {
  return (run) => Math.floor((run.events.length - 1) * of);
}

function firstData(run) {
  return run.events.findIndex(({ kind }) => kind.type === "segment_sent" && kind.len > 0);
}

function closedWindow(run) {
  return run.events.findIndex(({ kind }) => kind.type === "segment_received" && kind.window_bytes === 0);
}
