// What the views are drawn from: pure functions of a run and a cursor, tried without a browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createServer } from "vite";

let server;
const load = (path) => server.ssrLoadModule(`/src/views/${path}`);

before(async () => {
  server = await createServer({ server: { middlewareMode: true, hmr: false, ws: false }, appType: "custom", logLevel: "error" });
});
after(() => server.close());

/** The header of a segment with the text `GET`, from 192.168.0.2:12345 to 10.0.0.1:80, its checksum field still zero. */
const header = [
  0x30, 0x39, 0x00, 0x50, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x50, 0x18, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00,
];
const parts = (more = {}) => ({
  source: "192.168.0.2",
  destination: "10.0.0.1",
  header: [...header],
  payload: [0x47, 0x45, 0x54],
  len: 3,
  payloadSum: null,
  segments: 1,
  ...more,
});

test("a checksum is the complement of the folded sum of pseudo-header, header and data (RFC 9293 §3.1)", async () => {
  const { checksumOf } = await load("header/checksum.ts");
  // By hand: addresses C0A8+0002+0A00+0001, length 0017, protocol 0006: CAC8. Header: 3039+0050+0001+0002+5018+1000
  // = 90A4. Data: 4745+5400 = 9B45. In all 1F6B1, folded F6B2, complement 094D.
  const sum = checksumOf(parts());
  assert.equal(sum.pseudoSum, 0xcac8);
  assert.equal(sum.headerSum, 0x90a4);
  assert.equal(sum.dataSum, 0x9b45);
  assert.equal(sum.total, 0x1f6b1);
  assert.deepEqual(sum.folds, [0xf6b2]);
  assert.equal(sum.complement, 0x094d);
  assert.equal(sum.verdict, "wrong");
});

test("a field that holds the complement is right, and all ones come out with it", async () => {
  const { checksumOf } = await load("header/checksum.ts");
  const right = [...header];
  [right[16], right[17]] = [0x09, 0x4d];
  const sum = checksumOf(parts({ header: right }));
  assert.equal(sum.verdict, "right");
  assert.equal(sum.withField, 0xffff);
});

test("data that are not all there are deduced from the field, which proves nothing", async () => {
  const { checksumOf } = await load("header/checksum.ts");
  const right = [...header];
  [right[16], right[17]] = [0x09, 0x4d];
  const sum = checksumOf(parts({ header: right, payload: [0x47] }));
  assert.equal(sum.dataSum, 0x9b45);
  assert.equal(sum.verdict, "deduced");
  assert.equal(checksumOf(parts({ header: right, payload: [0x47], payloadSum: 0x9b45 })).verdict, "right");
});

test("a flipped bit of the data fails the checksum, and the sum of the data is the damaged one", async () => {
  const { checksumOf } = await load("header/checksum.ts");
  const right = [...header];
  [right[16], right[17]] = [0x09, 0x4d];
  // Bit 2 of the first byte: 47 has come as 67.
  const sum = checksumOf(parts({ header: right, payload: [0x67], payloadSum: 0x9b45, flipped: 162 }));
  assert.equal(sum.dataSum, 0xbb45);
  assert.equal(sum.verdict, "wrong");
  assert.notEqual(sum.withField, 0xffff);
});

test("a super-segment has no single checksum", async () => {
  const { checksumOf } = await load("header/checksum.ts");
  assert.equal(checksumOf(parts({ segments: 4 })).verdict, "no_single_one");
});

test("the pseudo-header of IPv6 has eight words for an address", async () => {
  const { addressBytes, checksumOf } = await load("header/checksum.ts");
  assert.deepEqual(addressBytes("fd00::1"), [0xfd, ...Array(14).fill(0), 1]);
  assert.deepEqual(addressBytes("::ffff:1.2.3.4").slice(10), [0xff, 0xff, 1, 2, 3, 4]);
  assert.equal(addressBytes("fd00::1::2"), null);
  assert.equal(addressBytes("no address"), null);
  const sum = checksumOf(parts({ source: "fd00::1", destination: "fd00::2" }));
  assert.equal(sum.pseudo.filter(({ part }) => part === "source").length, 8);
  assert.equal(sum.pseudoSum, 0xfd00 + 1 + 0xfd00 + 2 + 23 + 6);
});

test("options are taken apart by kind and length, and one that is cut short stays one field", async () => {
  const { fieldsOf } = await load("header/fields.ts");
  const book = { header: [], options: {} };
  const segment = { ack: 1000, relative_ack: 1, flags: "ACK", len: 0 };
  const options = [1, 3, 3, 7, 5, 10, 0, 0, 3, 0xe9, 0, 0, 3, 0xf3];
  const fields = fieldsOf({ header: [...Array(20).fill(0), ...options], segment }, book);
  assert.deepEqual(
    fields.map(({ id, bit, bits, value }) => [id, bit, bits, value]),
    [
      ["option0.kind", 160, 8, "1"],
      ["option1.kind", 168, 8, "3"],
      ["option1.length", 176, 8, "3"],
      ["option1.shift", 184, 8, "7"],
      ["option2.kind", 192, 8, "5"],
      ["option2.length", 200, 8, "10"],
      ["option2.edge0", 208, 32, "1001"],
      ["option2.edge1", 240, 32, "1011"],
    ],
  );
  assert.deepEqual(fields.at(-1).note.values, { number: "12" });
  const cut = fieldsOf({ header: [...Array(20).fill(0), 2, 9, 0, 0], segment }, book);
  assert.deepEqual(cut.map(({ id, bits }) => [id, bits]), [["option0.broken", 32]]);
});

test("a field over the end of a row is drawn in two parts", async () => {
  const { boxesOf } = await load("header/fields.ts");
  const boxes = boxesOf([{ id: "a", bit: 48, bits: 32 }]);
  assert.deepEqual(
    boxes.map(({ row, column, bits, begins }) => [row, column, bits, begins]),
    [
      [1, 16, 16, true],
      [2, 0, 16, false],
    ],
  );
});

const LISTENED = {
  hosts: [
    { name: "client", role: "client", addresses: ["10.0.0.1"], recorded: true },
    { name: "server", role: "server", addresses: ["10.0.0.2"], recorded: true },
  ],
  flights: [],
  calls: [],
  events: [
    ["server", 1, "0.0.0.0:80", undefined, "CLOSED", "LISTEN"],
    ["client", 1, "10.0.0.1:5000", "10.0.0.2:80", "CLOSED", "SYN-SENT"],
    ["server", 2, "10.0.0.2:80", "10.0.0.1:5000", "CLOSED", "SYN-RECEIVED"],
    ["client", 1, "10.0.0.1:5000", "10.0.0.2:80", "SYN-SENT", "ESTABLISHED"],
  ].map(([host, id, local, remote, from, to], index) => ({
    index,
    time_ns: index,
    host,
    connection: { id, local, remote },
    kind: { type: "state_changed", from, to },
  })),
};
const WAYS = { transitions: [["CLOSED", "LISTEN"], ["CLOSED", "SYN-SENT"], ["LISTEN", "SYN-RECEIVED"]].map(([from, to]) => ({ from, to })) };

test("both ends of a connection are a pair, in the order of their hosts", async () => {
  const { connections, pairAt } = await load("connections.ts");
  const { pairs } = connections(LISTENED);
  assert.deepEqual(pairs.map(({ ends }) => ends.map((end) => [end.host, end.id])), [[[0, 1], [1, 2]]]);
  assert.equal(pairAt(LISTENED, 0), pairs[0]);
});

test("an accepted connection's way begins with its listener's, and ends at the cursor", async () => {
  const { connections } = await load("connections.ts");
  const { pathsOf } = await load("states/path.ts");
  const way = (cursor) =>
    pathsOf(LISTENED, WAYS, connections(LISTENED).pairs[0], cursor).map(({ steps }) => steps.map(({ from, to }) => `${from} ${to}`));
  assert.deepEqual(way(0), [[], ["CLOSED LISTEN"]]);
  assert.deepEqual(way(2), [["CLOSED SYN-SENT"], ["CLOSED LISTEN", "LISTEN SYN-RECEIVED"]]);
});

test("a time axis keeps true time, and folds what is idle for long", async () => {
  const { timelineOf, placeOf, momentAt } = await load("graph/timeline.ts");
  // 100 ms of traffic, then TIME-WAIT's 60 s.
  const timeline = timelineOf([0, 20e6, 40e6, 60e6, 100e6, 60_100e6]);
  assert.deepEqual(
    timeline.stretches.map(({ from_ns, until_ns, folded }) => [from_ns, until_ns, folded]),
    [
      [0, 100e6, false],
      [100e6, 60_100e6, true],
      [60_100e6, 60_100e6, false],
    ],
  );
  const third = placeOf(timeline, 60e6) - placeOf(timeline, 40e6);
  assert.ok(Math.abs(third - (placeOf(timeline, 20e6) - placeOf(timeline, 0))) < 1e-9);
  assert.ok(Math.abs(momentAt(timeline, placeOf(timeline, 73e6)) - 73e6) < 1);
  assert.ok(placeOf(timeline, 60_100e6) < 1);
});

test("a line of a million points keeps its highest and lowest one in every pixel", async () => {
  const { thin } = await load("graph/series.ts");
  const times = Array.from({ length: 1_000_000 }, (_, i) => i);
  const values = times.map((i) => (i === 500_500 ? 9 : i === 500_501 ? -9 : 1));
  const points = thin({ times, values }, [0, times.length], (ns) => ns / 1000, (value) => value);
  assert.ok(points.length < 4 * 1001);
  const [low, high] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
  assert.deepEqual([low, high], [-9, 9]);
});

test("of the limits within one pixel the longest is shown, and equal neighbours are one band", async () => {
  const { bandsOf } = await load("graph/series.ts");
  const span = (from_ns, until_ns, name) => ({ from_ns, until_ns, name });
  const spans = [span(0, 10, "receiver"), span(10, 10.2, "nagle"), span(10.2, 10.9, "pacing"), span(11, 20, "pacing")];
  assert.deepEqual(bandsOf(spans, 0, 20, (ns) => ns), [
    { name: "receiver", x: 0, width: 10 },
    { name: "pacing", x: 10, width: 10 },
  ]);
});

test("SACK blocks are read from the header, past padding and other options", async () => {
  const { sackBlocks } = await load("graph/marks.ts");
  const options = "0101080a00000001000000020101050a0000006400000096";
  assert.deepEqual(sackBlocks({ header: "00".repeat(20) + options }), [[100, 150]]);
  assert.deepEqual(sackBlocks({ header: "00".repeat(20) }), []);
});

/** Data that arrive, an ACK that answers, and a timer that fires; causes are named by the index on each host. */
const CAUSES = (() => {
  const [client, server] = [{ id: 1, local: "a:1", remote: "b:2" }, { id: 1, local: "b:2", remote: "a:1" }];
  const events = [
    ["client", client, 0, { type: "call_entered", call: 1, name: "send", arguments: "3" }],
    ["client", client, 1, { type: "segment_sent", len: 3 }, 0],
    ["server", server, 0, { type: "segment_received", len: 3 }],
    ["server", server, 1, { type: "timer_armed", timer: "delayed_ack", deadline_ns: 9 }, 0],
    ["server", server, 2, { type: "timer_fired", timer: "delayed_ack" }],
    ["server", server, 3, { type: "segment_sent", len: 0 }, 2],
  ].map(([host, connection, index, kind, cause], time_ns) => ({ host, connection, index, kind, cause, time_ns }));
  return { ...LISTENED, origin: { type: "simulated" }, events, flights: [{ from: 0, to: 1, sent: 1, received: 2, fate: "arrived" }] };
})();

test("the chain of causes goes from a timer to where it was set, over the wire, and ends with the program's call", async () => {
  const { chainOf } = await load("why/chain.ts");
  const { links, end } = chainOf(CAUSES, 5);
  assert.deepEqual(
    links.map(({ position, via }) => [position, via]),
    [
      [5, undefined],
      [4, "cause"],
      [3, "timer"],
      [2, "cause"],
      [1, "flight"],
      [0, "cause"],
    ],
  );
  assert.equal(end, "program");
  assert.equal(chainOf({ ...CAUSES, flights: [] }, 2).end, "unknown");
});

/** What a stack says of a connection that has sent 100 bytes and got none. */
const snapshot = (more = {}) => ({
  state: "ESTABLISHED",
  iss: 1000,
  irs: 5000,
  snd_una: 1001,
  snd_nxt: 1101,
  snd_max: 1101,
  snd_wnd: 400,
  rcv_nxt: 5001,
  rcv_wnd: 300,
  cwnd: 500,
  ssthresh: 2 ** 64,
  in_flight: 100,
  srtt_ns: null,
  rto_ns: 1e9,
  recovery: { state: "open", sacked: [], lost: [], retransmitted: [], has_more: false, rttvar_ns: null, pacing_bytes_per_s: null },
  timers: [],
  send_buffer: { capacity: 200, unacked: 100, unsent: 50 },
  receive_buffer: { capacity: 300, queued: 0, out_of_order: [] },
  ...more,
});
const STOOD = {
  ...LISTENED,
  origin: { type: "simulated" },
  events: [
    ["client", { id: 1, local: "a:1", remote: "b:2" }, snapshot()],
    ["server", { id: 1, local: "b:2", remote: "a:1" }, snapshot({ iss: 5000, irs: 1000, rcv_nxt: 1041, snd_una: 5001, snd_nxt: 5001 })],
    [
      "client",
      { id: 1, local: "a:1", remote: "b:2" },
      snapshot({ snd_una: 1041, cwnd: 540, send_buffer: { capacity: 200, unacked: 60, unsent: 50 } }),
    ],
  ].map(([host, connection, after], index) => ({ index, time_ns: index, host, connection, kind: { type: "updated" }, after })),
};
STOOD.events[1].after.send_buffer = { capacity: 200, unacked: 0, unsent: 0 };
STOOD.events[1].after.receive_buffer = { capacity: 300, queued: 40, out_of_order: [[1061, 1081]] };

test("an update says which variables it changed, in numbers from the ISS", async () => {
  const { changesOf } = await load("why/changes.ts");
  assert.deepEqual(changesOf(STOOD, 2), [
    { name: "SND.UNA", before: "1", after: "41" },
    { name: "cwnd", before: "500", after: "540" },
    { name: { word: "why.var.unacked" }, before: "100", after: "60" },
  ]);
  assert.deepEqual(changesOf(STOOD, 0), []);
});

test("the same byte has the same place in both buffers, and a hole is a piece of its own", async () => {
  const { connections } = await load("connections.ts");
  const { directionsOf } = await load("buffers/bars.ts");
  const [{ send, receive, scale }] = directionsOf(STOOD, connections(STOOD).pairs[0], 1);
  const pieces = (bar) => bar.pieces.map(({ kind, from, to }) => [kind, from, to]);
  assert.deepEqual(pieces(send), [
    ["sent", 1, 101],
    ["unsent", 101, 151],
    ["free", 151, 201],
  ]);
  assert.deepEqual(pieces(receive), [
    ["received", 1, 41],
    ["hole", 41, 61],
    ["received", 61, 81],
    ["free", 81, 301],
  ]);
  assert.deepEqual(send.pointers.map(({ at }) => at), [401, 101, 1]);
  assert.deepEqual(receive.pointers.map(({ at }) => at), [41, 341]);
  const later = directionsOf(STOOD, connections(STOOD).pairs[0], 2)[0];
  assert.deepEqual(later.scale, scale);
  assert.equal(later.send.from, 41);
});

test("what is lost stays to be seen until it is sent again", async () => {
  const { connections } = await load("connections.ts");
  const { directionsOf } = await load("buffers/bars.ts");
  const sent = (time_ns, retransmission) => ({
    index: time_ns,
    time_ns,
    host: "client",
    connection: { id: 1, local: "a:1", remote: "b:2" },
    kind: { type: "segment_sent", flags: "ACK", relative_seq: 1, len: 100, header: "", retransmission },
    after: snapshot(),
  });
  const run = {
    ...STOOD,
    events: [...STOOD.events.slice(0, 2), sent(2, false), sent(3, true)],
    flights: [
      { from: 0, to: 1, sent: 2, fate: "lost" },
      { from: 0, to: 1, sent: 3, fate: "underway" },
    ],
  };
  const underway = (cursor) =>
    directionsOf(run, connections(run).pairs[0], cursor)[0].underway.map(({ position, lost, again }) => [position, lost, again]);
  assert.deepEqual(underway(1), []);
  assert.deepEqual(underway(2), [[2, true, false]]);
  assert.deepEqual(underway(3), [[3, false, true]]);
});

test("thousands of segments on the way are joined where they are too narrow to be seen, but never with a lost one", async () => {
  const { joined } = await load("buffers/bars.ts");
  const one = (i, lost) => ({ position: i, from: 10 * i, to: 10 * i + 10, lost, again: false, label: "" });
  const way = Array.from({ length: 3000 }, (_, i) => one(i, i === 1000));
  assert.deepEqual(
    joined(way, 50).map(({ from, to, lost }) => [from, to, lost]),
    [
      [0, 10000, false],
      [10000, 10010, true],
      [10010, 30000, false],
    ],
  );
  assert.equal(joined(way, 5).length, 3000);
});
