// What the page is made of, without a browser: the layout of the sequence diagram, steps, rules in links, what is hidden.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createServer } from "vite";

let server;
const load = (path) => server.ssrLoadModule(`/src/${path}`);

before(async () => {
  server = await createServer({ server: { middlewareMode: true, hmr: false, ws: false }, appType: "custom", logLevel: "error" });
});
after(() => server.close());

const MS = 1e6;

/** A run of segments, each `[sent, received]` in milliseconds; received null: it is lost. */
function runOf(segments) {
  const events = [];
  const flights = segments.map(([sent, received], index) => {
    events.push({ time_ns: sent * MS, host: "a", flight: index, kind: segment("segment_sent", index) });
    if (received !== null) events.push({ time_ns: received * MS, host: "b", flight: index, kind: segment("segment_received", index) });
    return { from: 0, to: 1, number: index + 1, sent_ns: sent * MS, received_ns: received === null ? undefined : received * MS, fate: received === null ? "lost" : "arrived" };
  });
  events.sort((x, y) => x.time_ns - y.time_ns);
  events.forEach((event, position) => {
    event.index = position;
    flights[event.flight][event.kind.type === "segment_sent" ? "sent" : "received"] = position;
  });
  const hosts = [{ name: "a", addresses: [] }, { name: "b", addresses: [] }];
  return { origin: { type: "recorded", files: [], live: false }, hosts, events, flights, calls: [], limits: [], landmarks: [], questions: [], listings: [] };
}

function segment(type, index) {
  return { type, flags: "ACK", seq: index, ack: 0, len: 100, segments: 1, window_bytes: 1000, header: "", payload: "" };
}

test("a flight that takes twice as long is twice as high", async () => {
  const { layout } = await load("views/sequence/layout.ts");
  const { arrows } = layout(runOf([[0, 20], [30, 50], [60, 100]]), new Set());
  const heights = arrows.map(({ y0, y1 }) => y1 - y0);
  assert.equal(Math.round(heights[2]), Math.round(2 * heights[0]));
});

test("what happens later never stands higher, and idle time is folded", async () => {
  const { layout } = await load("views/sequence/layout.ts");
  const run = runOf([[0, 20], [0, 20], [0, null], [40, 60], [60040, 60060]]);
  const { y, folds, height } = layout(run, new Set());
  for (let at = 1; at < y.length; at++) assert.ok(y[at] >= y[at - 1]);
  assert.deepEqual(folds.map(({ ns, open }) => [ns, open]), [[59980 * MS, false]]);
  assert.ok(height < 800);
  const unfolded = layout(run, new Set([folds[0].next]));
  assert.ok(unfolded.folds[0].open && unfolded.height > height);
});

test("what comes from outside, or is lost, lies under no fold", async () => {
  const { layout } = await load("views/sequence/layout.ts");
  const run = runOf([[0, 20], [30, null], [5000, 5020]]);
  // A stranger's: only its arrival is known.
  run.flights[2].sent = undefined;
  run.flights[2].sent_ns = undefined;
  run.events.splice(3, 1);
  run.flights[2].received = 3;
  const { arrows, folds } = layout(run, new Set());
  assert.equal(folds.length, 1);
  const [before, after] = [arrows.find(({ flight }) => flight === 1), arrows.find(({ flight }) => flight === 2)];
  assert.ok(before.y1 < folds[0].y, "the cross stands above it");
  assert.ok(after.y0 > folds[0].y + folds[0].height, "the arrow begins below it");
});

test("a lost segment has the slope of the others, and ends on the way", async () => {
  const { layout } = await load("views/sequence/layout.ts");
  const { arrows } = layout(runOf([[0, 20], [30, null], [60, 80]]), new Set());
  assert.ok(arrows[1].end === undefined && arrows[1].y1 > arrows[1].y0 && arrows[1].y1 < arrows[0].y1 - arrows[0].y0 + arrows[1].y0);
});

test("a hundred segments of one instant stay near each other", async () => {
  const { layout } = await load("views/sequence/layout.ts");
  const { arrows } = layout(runOf(Array.from({ length: 100 }, () => [0, 20])), new Set());
  assert.ok(arrows.at(-1).y0 - arrows[0].y0 <= 500);
});

test("a label takes the longest wording that fits, and none that does not", async () => {
  const { labelOf } = await load("views/sequence/label.ts");
  const record = { ...segment("segment_sent", 7), flags: "PSH|ACK" };
  assert.equal(labelOf(record, 1000), "PSH ACK seq=7 ack=0 len=100 win=1000");
  assert.equal(labelOf(record, 90), "PA 7+100");
  assert.equal(labelOf(record, 10), "");
  assert.match(labelOf({ ...record, window_bytes: 0 }, 250), /win=0/, "a closed window is always told");
});

test("a link gives back what was put into it, and nothing else", async () => {
  const { formatLink, parseLink } = await load("link.ts");
  const link = {
    lesson: 9, scenario: "lost-ack", at: 57, pane: 1, view: "buffers", language: "zh", theme: undefined, mark: undefined, first: undefined, predict: true, programs: false,
    rules: [{ action: "corrupt", bit: 160, from: "client", number: 4 }, { action: "delay", delay_ms: 40, from: "ser.ver,", number: 2 }],
  };
  assert.deepEqual(parseLink(formatLink(link)), link);
  assert.deepEqual(parseLink("#rules=client.0.drop,client.x.drop,%25E0.1.drop,a.1.explode,b.2.delay&at=-3&view=none&lang=fr").rules, []);
  assert.equal(parseLink("#at=-3").at, undefined);
});

test("before a question nothing of what follows is left", async () => {
  const { until } = await load("places.ts");
  const run = runOf([[0, 20], [10, null], [30, 50]]);
  run.calls = [{ host: 0, name: "send", entered: 0, returned: 3, result: "5" }];
  run.landmarks = [{ id: "late", at: 4 }];
  const seen = until(run, 2);
  assert.equal(seen.events.length, 2);
  assert.deepEqual(seen.flights.map(({ fate, received }) => [fate, received]), [["underway", undefined], ["underway", undefined]]);
  assert.equal(seen.calls[0].result, undefined);
  assert.deepEqual(seen.landmarks, []);
  assert.equal(run.flights[1].fate, "lost", "the run itself is as it was");
});

test("steps lead by event, segment and round trip, and over a pause", async () => {
  const { step, overPause } = await load("steps.ts");
  const run = runOf([[0, 20], [40, 60], [60000, 60020]]);
  assert.equal(step(run, 0, "event", true), 1);
  assert.equal(step(run, 0, "event", false), 0);
  assert.equal(step(run, 0, "round_trip", true), 2, "twice a flight, before a round trip was measured");
  assert.equal(step(run, 5, "segment", true), 5);
  assert.equal(overPause(run, 0), 4);
  assert.equal(overPause(run, 4), undefined);
});

test("an answer is right in whatever order of flags and with thousands apart", async () => {
  const { Quiz } = await load("quiz.svelte.ts");
  const quiz = new Quiz();
  const grade = (subject, answer, given) => {
    quiz.answer({ subject, answer }, given);
    return quiz.verdict.isRight;
  };
  assert.ok(grade("flags", "SYN|ACK", "ack, syn"));
  assert.ok(!grade("flags", "SYN|ACK", "ack"));
  assert.ok(grade("window", "65535", "65,535"));
  assert.ok(grade("state", "TIME-WAIT", "time_wait"));
  assert.ok(!grade("ack", "14", "13"));
  assert.deepEqual([quiz.right, quiz.asked], [3, 5]);
});
