// Recordings as two programs would have written them: a played run, again and again, each time a connection of its own.

import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** So long after the beginning of one connection the next one begins; what the run has later is left out. */
const ROUND_NS = 4e9;

export class Recording {
  #hosts;
  #round = 0;

  /** Begins the files of a run's hosts in a folder. */
  constructor(run, to) {
    this.#hosts = run.hosts.map(({ name }) => {
      const events = run.events.filter(({ host, time_ns }) => host === name && time_ns < ROUND_NS);
      const path = join(to, `${name}.jsonl`);
      writeFileSync(path, `${JSON.stringify({ format: "tcpstack-events", version: 1, host: name, url: "unix:", unix_epoch_ns: 0 })}\n`);
      return { path, events, name };
    });
    this.paths = this.#hosts.map(({ path }) => path);
    this.eventsOfRound = this.#hosts.reduce((sum, { events }) => sum + events.length, 0);
  }

  /** Writes one connection more. */
  write() {
    const round = this.#round++;
    for (const { path, events } of this.#hosts) {
      appendFileSync(path, events.map((event) => `${JSON.stringify(this.#shifted(event, round, events.length))}\n`).join(""));
    }
  }

  #shifted(event, round, count) {
    const later = { ...event, index: event.index + round * count, time_ns: event.time_ns + round * ROUND_NS };
    if (event.cause !== undefined) later.cause = event.cause + round * count;
    if (event.connection) {
      const { id, local, remote } = event.connection;
      // A listening socket's remote end is left out; each round has ids and a port of its own.
      later.connection = { id: id + round * 10, local: this.#end(local, round) };
      if (remote) later.connection.remote = this.#end(remote, round);
    }
    // "No threshold yet" is the greatest of 64 bits, which no number of this language holds.
    if (event.after) later.after = { ...event.after, ssthresh: Math.min(event.after.ssthresh, 2 ** 40) };
    if (event.kind.type.startsWith("segment_")) {
      const { src_port, dst_port, header } = event.kind;
      const [source, destination] = [this.#port(src_port, round), this.#port(dst_port, round)];
      later.kind = { ...event.kind, src_port: source, dst_port: destination, header: hex(source) + hex(destination) + header.slice(8) };
    }
    return later;
  }

  #end(end, round) {
    const at = end.lastIndexOf(":");
    return `${end.slice(0, at)}:${this.#port(Number(end.slice(at + 1)), round)}`;
  }

  /** Only the client's port changes. */
  #port(port, round) {
    return port > 1024 ? 20_000 + ((port + round) % 40_000) : port;
  }
}

function hex(port) {
  return port.toString(16).padStart(4, "0");
}
