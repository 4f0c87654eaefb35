// The lab for the tests: `tcpstack lab` (TCPSTACK), or one that runs already (TCPSTACK_LAB, an address with a token).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export const BINARY = process.env.TCPSTACK ?? join(import.meta.dirname, "../../../target/release/tcpstack");

export class Lab {
  #process;

  /** Starts it with what is asked for; it says where it is to be found. */
  async start(...asked) {
    this.url = asked.length ? undefined : process.env.TCPSTACK_LAB;
    if (this.url) return this;
    this.#process = spawn(BINARY, ["lab", "--no-open", "--lang", "en", ...asked], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    for await (const piece of this.#process.stdout) {
      said += piece;
      this.url = /http:\/\/\S+/.exec(said)?.[0];
      if (this.url) return this;
    }
    throw new Error(`${BINARY} lab said no address: ${said}`);
  }

  async stop() {
    if (!this.#process || this.#process.exitCode !== null) return;
    this.#process.kill("SIGINT");
    await once(this.#process, "exit");
  }

  /** What the page asks for. */
  async get(path) {
    const address = new URL(`/api/${path}`, this.url);
    address.searchParams.set("token", new URL(this.url).searchParams.get("token"));
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** The scenarios of all lessons with their runs. */
  async scenarios() {
    const lessons = await this.get("lessons");
    const found = [];
    for (const lesson of lessons) {
      for (const scenario of lesson.scenarios) {
        const run = await this.get(`runs/${lesson.number}/${scenario.id}`);
        found.push({ lesson, scenario, run, link: `#lesson=${lesson.number}&scenario=${scenario.id}&lang=en` });
      }
    }
    return found;
  }
}
