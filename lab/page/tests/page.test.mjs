// The page in a browser, on the lessons as the stack plays them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { follow, inTwoPages, launch, picture, pressToEnd, texts, visit } from "./browser.mjs";
import { Lab } from "./lab.mjs";

const VIEWS = ["sequence", "header", "buffers", "states", "time_sequence", "congestion", "why"];
/** So many events are stepped one by one; a longer run by segments, a very long one by round trips. */
const MANY = 300;
const VERY_MANY = 1_000;
const CHINESE = /[\u4e00-\u9fff]/;
/** Three English words in a row; names such as SYN ACK, and what stands in code, are the same in both languages. */
const ENGLISH = /\b[A-Za-z]?[a-z]{2,}[ ,]+[a-z]{2,}[ ,]+[a-z]{2,}\b/;

const lab = new Lab();
let browser;
let scenarios;
/** One with a segment that carries data, and one that asks something. */
let plain;
let asking;

before(async () => {
  [browser] = await Promise.all([launch(), lab.start()]);
  scenarios = await lab.scenarios();
  plain = scenarios.find(({ run, scenario }) => !scenario.beside?.length && run.flights.length > 4);
  asking = scenarios.find(({ run }) => run.questions.some(({ choices }) => choices.length === 0));
});
after(async () => {
  await browser?.close();
  await lab.stop();
});

async function open(link, options) {
  return visit(browser, lab.url + link, options);
}

async function done(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

const counter = (page) => page.locator(".count").innerText();

test("every scenario of every lesson steps to its end and back to the same picture", async () => {
  const pages = await inTwoPages(() => open("", { reducedMotion: "reduce" }), scenarios, async (page, { link, run }) => {
    await follow(page, `${link}&view=sequence&at=0`);
    const beginning = await picture(page);
    const isMany = run.events.length > MANY && run.events.length <= VERY_MANY;
    const [forwards, backwards] = isMany ? ["ArrowDown", "ArrowUp"] : ["ArrowRight", "ArrowLeft"];
    await pressToEnd(page, forwards, run.events.length > VERY_MANY);
    assert.ok((await counter(page)).startsWith(`${run.events.length} /`), `${link} ends at ${await counter(page)}`);
    assert.ok((await picture(page)) !== beginning, `${link} shows at its end what it shows at its beginning`);
    await pressToEnd(page, backwards, run.events.length > VERY_MANY);
    assert.ok((await picture(page)) === beginning, `${link} does not come back to the same picture`);
  });
  for (const page of pages) await done(page);
});

test("every view of every scenario is drawn, in English without 中文 and the reverse", async () => {
  const pages = await inTwoPages(() => open(""), scenarios, async (page, { link, run }) => {
    for (const view of VIEWS) {
      for (const [language, at] of [["en", Math.floor(run.events.length / 2)], ["zh", run.events.length - 1]]) {
        await follow(page, `${link.replace("lang=en", `lang=${language}`)}&view=${view}&at=${at}`);
        assert.ok((await page.locator(`[data-view=${view}]`).first().innerText()).length > 0, `${link} ${view} ${at}`);
        const wrong = (await texts(page, language === "en" ? CHINESE : ENGLISH)).filter(({ isCode }) => !isCode);
        assert.deepEqual(wrong.map(({ text }) => text), [], `${link} ${view} ${language}`);
      }
    }
  });
  for (const page of pages) await done(page);
});

test("a segment that is dropped gives a second run, with the first difference marked in both", async () => {
  const page = await open(plain.link);
  await page.locator("[data-flight]").nth(2).click();
  await page.locator("[data-action=drop]").click();
  await page.waitForSelector("[data-pane='1']");
  assert.equal(await page.locator(".pane").count(), 2);
  assert.equal(await page.locator(".parting-name").count(), 2);
  assert.ok((await page.locator(".difference span").innerText()).length > 10);
  await page.waitForURL(/rules=\w+\.\d+\.drop/);
  assert.ok(await page.locator("[data-pane='1'] [data-fate=lost]").count());

  // What a link says is what whoever follows it sees.
  const shared = await visit(browser, page.url());
  await shared.waitForSelector("[data-pane='1']");
  assert.equal(await shared.locator(".difference span").innerText(), await page.locator(".difference span").innerText());
  await done(shared);

  await page.locator(".original").click();
  await page.waitForSelector("[data-pane='1']", { state: "detached" });
  assert.equal(await page.locator(".difference").count(), 0);
  await done(page);
});

test("what can be done to a segment is seen wherever it was clicked, and stays within the diagram", async () => {
  const page = await open(plain.link);
  const [count, view] = [await page.locator("[data-flight]").count(), page.locator(".scroller")];
  for (let index = 0; index < count; index += 2) {
    await page.locator("[data-flight]").nth(index).click();
    // Where it comes to rest.
    await picture(page);
    const [menu, outer] = [await page.locator(".menu").boundingBox(), await view.boundingBox()];
    assert.ok(menu.y >= outer.y - 1 && menu.y + menu.height <= outer.y + outer.height + 1, `the menu of flight ${index} is cut`);
    await page.keyboard.press("Escape");
  }
  await done(page);
});

test("a scenario opens with the view that shows it best, beside the diagram, until the reader chooses another", async () => {
  const [one, other] = scenarios.filter(({ lesson, scenario }) => scenario.view === "states" && !scenario.beside?.length && lesson.number === 1);
  const page = await open(one.link);
  assert.deepEqual(await views(), ["sequence", "states"]);
  await page.locator(`.scenario[data-scenario=${other.scenario.id}]`).click();
  await page.waitForSelector(`.app[data-scenario=${other.scenario.id}]`);
  assert.deepEqual(await views(), ["sequence", "states"]);
  await page.keyboard.press("7");
  await page.locator(`.scenario[data-scenario=${one.scenario.id}]`).click();
  await page.waitForSelector(`.app[data-scenario=${one.scenario.id}]`);
  assert.deepEqual(await views(), ["sequence", "why"]);
  await done(page);

  function views() {
    return page.locator("[data-view]").evaluateAll((elements) => elements.map(({ dataset }) => dataset.view));
  }
});

test("what a lesson proposes to try is played", async () => {
  const trying = scenarios.find(({ scenario }) => scenario.experiments.length > 0);
  const page = await open(trying.link);
  await page.locator(".try").first().click();
  await page.waitForSelector("[data-pane='1']");
  assert.ok(await page.locator(".difference").isVisible());
  await done(page);
});

test("who predicts sees nothing of what is asked for, is graded, and told why", async () => {
  const page = await open(asking.link);
  const all = await page.locator("table tbody tr").count();
  await page.locator(".predict").click();
  const question = asking.run.questions[0];
  await page.getByText("To the next question").click();
  assert.ok((await counter(page)).startsWith(`${question.before} /`));
  assert.ok((await page.locator("table tbody tr").count()) < all);
  await page.keyboard.press("End");
  assert.ok((await counter(page)).startsWith(`${question.before} /`), "no key leads beyond the question");

  await answer(page, question, false);
  assert.equal(await page.locator(".verdict").getAttribute("data-verdict"), "wrong");
  assert.ok((await page.locator(".quiz").innerText()).includes(question.explanation.en.replaceAll(/[`*]/g, "").slice(0, 20)));
  await page.locator(".go-on").click();

  await page.getByText("To the next question").click().catch(() => undefined);
  await answer(page, asking.run.questions[1], true);
  assert.equal(await page.locator(".verdict").getAttribute("data-verdict"), "right");
  assert.equal(await page.locator(".score").getAttribute("data-right"), "1");
  assert.equal(await page.locator(".score").getAttribute("data-asked"), "2");
  await page.locator(".quiz .head button").click();
  assert.equal(await page.locator("table tbody tr").count(), all);
  await done(page);
});

async function answer(page, question, isRight) {
  if (question.choices.length) {
    const index = question.choices.findIndex((choice) => (choice === question.answer) === isRight);
    return page.locator(".choice").nth(index).click();
  }
  await page.locator(".quiz input").fill(isRight ? question.answer : `${Number(question.answer) + 1}`);
  await page.keyboard.press("Enter");
}

test("no request leaves the page for anywhere but its own server", async () => {
  const page = await open(plain.link);
  for (const view of VIEWS) await page.locator(`[data-tab=${view}]`).click();
  const { origin } = new URL(lab.url);
  assert.deepEqual(page.requested.filter((address) => !address.startsWith(origin) && !address.startsWith("data:")), []);
  await done(page);
});

test("the page's own policy lets no other script run", async () => {
  const page = await open(plain.link);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.foreign = true";
    document.body.append(script);
    return window.foreign === true;
  });
  assert.equal(ran, false);
  await page.context().close();
});

test("everything can be done with the keyboard", async () => {
  const page = await open(plain.link);
  for (const [index, view] of VIEWS.entries()) {
    await page.keyboard.press(String(index + 1));
    assert.ok(await page.locator(`[data-view=${view}]`).isVisible(), view);
  }
  await page.keyboard.press("1");
  await page.keyboard.press("End");
  assert.ok((await counter(page)).startsWith(`${plain.run.events.length} /`));
  await page.keyboard.press("Home");
  assert.ok((await counter(page)).startsWith("1 /"));
  await page.keyboard.press("ArrowDown");
  const flight = page.locator(".arrow[tabindex='0']");
  await flight.focus();
  await page.keyboard.press("Enter");
  assert.ok(await page.locator(".menu").isVisible());
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".menu").count(), 0);
  assert.ok(await page.evaluate(() => document.activeElement.matches(".arrow")), "the focus is where it was");
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog").isVisible());
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.keyboard.press("l");
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  await page.keyboard.press(" ");
  await page.waitForFunction((at) => !document.querySelector(".count").textContent.startsWith(at), await counter(page));
  await page.keyboard.press(" ");
  assert.equal(await page.locator(".play").getAttribute("aria-pressed"), "false");
  await done(page);
});

test("idle time is jumped over, and can be unfolded", async () => {
  const idle = scenarios.find(({ run }) => run.events.some(({ time_ns }, at) => time_ns - (run.events[at - 1]?.time_ns ?? 0) > 30e9));
  const page = await open(idle.link);
  await page.keyboard.press("End");
  const fold = page.locator(".fold").last();
  const before = await fold.boundingBox();
  await fold.getByText("unfold").click();
  assert.ok((await page.locator(".fold.open").boundingBox()).height > before.height);
  await page.keyboard.press("Home");
  await pressToEnd(page, "j");
  assert.ok(Number((await counter(page)).split(" ")[0]) > 1);
  await done(page);
});

test("two runs that belong together stand side by side, and their cursors go together", async () => {
  const beside = scenarios.find(({ scenario }) => scenario.beside?.length);
  const page = await open(beside.link);
  assert.ok((await page.locator(".pane").count()) >= 2);
  const first = await picture(page);
  await page.keyboard.press("End");
  assert.ok((await picture(page)) !== first);
  await page.keyboard.press("Home");
  assert.ok((await picture(page)) === first);
  await done(page);
});

for (const [width, height] of [[1280, 800], [390, 844]]) {
  test(`at ${width} pixels nothing is wider than the page, and no text is smaller than 12 pixels`, async () => {
    const page = await open(plain.link, { viewport: { width, height } });
    for (const view of VIEWS) {
      await follow(page, `${plain.link}&view=${view}&at=${Math.floor(plain.run.events.length / 2)}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), view);
      assert.deepEqual((await texts(page)).filter(({ px }) => px < 12), [], view);
    }
    await done(page);
  });
}

test("a run that goes on grows on the page, and nothing can be done to it", async () => {
  const { run } = plain;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const half = Math.floor(run.events.length / 2);
  await page.route("**/api/session*", (route) => route.fulfill({ json: { language: "en", open: { type: "live", name: "a.jsonl" } } }));
  await page.route("**/api/live*", (route) => route.fulfill({ contentType: "text/event-stream", body: [piece(0, half), piece(half, run.events.length)].join("") }));
  await page.goto(lab.url);
  await page.waitForFunction((last) => document.querySelector(".count")?.textContent.startsWith(`${last} /`), run.events.length);
  await page.locator("[data-flight]").last().click();
  assert.match(await page.locator(".cannot").innerText(), /going on right now/);
  await context.close();

  /** What the server says when the events from `first` to `end` have come. */
  function piece(first, end) {
    const known = (at) => (at !== undefined && at < end ? at : undefined);
    const flights = run.flights.flatMap((flight, index) => ((flight.sent ?? flight.received) < end ? [[index, { ...flight, received: known(flight.received) }]] : []));
    const data = { first, hosts: run.hosts, title: run.title, events: run.events.slice(first, end), flights, calls: [], limits: [] };
    return `event: run\nid: ${end}\ndata: ${JSON.stringify(data)}\n\n`;
  }
});

test("who looks on too early is told what is waited for, and who cannot look on is told why", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.route("**/api/session*", (route) => route.fulfill({ json: { language: "zh", open: { type: "live", name: "a.jsonl" } } }));
  let isBroken = false;
  let told = 0;
  await page.route("**/api/live*", (route) => {
    if (isBroken) told++;
    const why = { en: "line 1 is no event", zh: "第 1 行不是事件" };
    const body = !isBroken ? "retry: 10\n\n" : `event: trouble\ndata: ${JSON.stringify(why)}\n\n`;
    return route.fulfill({ contentType: "text/event-stream", body });
  });
  await page.goto(lab.url);
  await page.getByText("等待写入 a.jsonl 的程序启动").waitFor();
  isBroken = true;
  await page.locator(".notice", { hasText: "第 1 行不是事件" }).waitFor();
  await picture(page);
  assert.equal(told, 1, "it does not go on asking");
  await context.close();
});

test("the programs stand at the lines of their calls, and a line leads to its call", async () => {
  const listed = scenarios.find(({ run }) => run.listings.length > 0 && run.calls.some(({ lines }) => lines.length > 0));
  const page = await open(listed.link);
  await page.keyboard.press("c");
  const call = listed.run.calls.find(({ lines, host }) => lines.some(({ file }) => listed.run.listings.some((listing) => listing.file === file && listing.host === host && listing.language === "c")));
  const { file, line } = call.lines.find(({ file }) => file.endsWith(".c"));
  await page.locator(`[data-file="${file}"] [data-line="${line}"] button`).click();
  assert.ok(await page.locator(`[data-file="${file}"] .here[data-line="${line}"]`).isVisible());
  await page.getByText("Python", { exact: true }).click();
  assert.ok((await page.locator(".programs").last().innerText()).includes(".py"));
  await done(page);
});
