// What is open: runs side by side, where the cursor of each stands, and what the reader did to them.

import { EMPTY_BOOK, type Book } from "./book.ts";
import { Follower } from "./data/follower.ts";
import { ServerSource } from "./data/server.ts";
import { Unplayable, type Opening, type Played, type Source } from "./data/source.ts";
import type { Lesson, ScenarioHead } from "./lesson.ts";
import { recall, remember } from "./surroundings.ts";
import { until } from "./places.ts";
import { Quiz } from "./quiz.svelte.ts";
import { formatRules } from "./rules.ts";
import type { Action, Difference, Flight, Position, Rule, Run, Text } from "./run.ts";
import { lastAt } from "./steps.ts";
import { both } from "./text.ts";
import type { ViewName } from "./view.ts";

/** One run on the page. */
export class Pane {
  run = $state.raw<Run>() as Run;
  cursor = $state<Position>(0);
  title: Text;
  /** The event at which it parts from the run beside it. */
  parts: Position | undefined;

  constructor(run: Run, title: Text, parts?: Position) {
    this.run = run;
    this.title = title;
    this.parts = parts;
  }
}

export class Lab {
  book = $state.raw<Book>(EMPTY_BOOK);
  lessons = $state.raw<Lesson[]>([]);
  panes = $state.raw<Pane[]>([]);
  active = $state(0);
  lesson = $state.raw<Lesson>();
  scenario = $state.raw<ScenarioHead>();
  /** What the reader has done, besides what the scenario does itself. */
  rules = $state.raw<Rule[]>([]);
  difference = $state.raw<Difference | null>();
  view = $state<ViewName>("sequence");
  /** Whether another view has room beside the diagram: then a scenario opens with the one that it names. */
  hasRoom = true;
  /** Something that went wrong, to be told. */
  notice = $state.raw<Text>();
  isBusy = $state(false);
  /** Whether the programs are shown, and in which language. */
  hasPrograms = $state(recall("programs") === "1");
  programLanguage = $state(recall("program-language") ?? "c");
  /** Of a live run: whether its events come in. */
  isConnected = $state<boolean>();
  /** The recording whose programs have yet to begin it. */
  awaited = $state<string>();
  /** A recording too long for one page: seen through a window. */
  log = $state.raw<Opening & { type: "log" }>();
  readonly quiz = new Quiz();

  readonly source: Source;
  readonly #played = new Map<string, Promise<Played>>();
  #request = 0;
  /** Whether the reader has chosen a view, in this lesson. */
  #hasChosenView = false;

  constructor(source: Source) {
    this.source = source;
  }

  get pane(): Pane | undefined {
    return this.panes[this.active] ?? this.panes[0];
  }

  /** Those that are seen: one where a learner is asked. */
  get seen(): Pane[] {
    return this.quiz.isOn && this.pane ? [this.pane] : this.panes;
  }

  /** A pane's run as far as the learner may see it. */
  visible(pane: Pane): Run {
    const limit = pane === this.pane ? this.quiz.limit(pane.run) : undefined;
    return limit === undefined ? pane.run : until(pane.run, limit);
  }

  async open(opening: Opening): Promise<void> {
    switch (opening.type) {
      case "lesson":
        return this.openScenario(opening.lesson, opening.scenario ?? undefined, opening.rules);
      case "run":
        return this.#show([new Pane(opening.run, opening.run.title)]);
      case "log":
        this.log = opening;
        return this.openWindow(0);
      case "live":
        return this.#follow(opening.name);
    }
  }

  /** A scenario of a lesson (its first if none is named) with the reader's rules. */
  async openScenario(number: number, id?: string, rules: Rule[] = [], mark?: string): Promise<void> {
    const lesson = this.lessons.find((one) => one.number === number);
    const scenario = lesson?.scenarios.find((one) => one.id === id) ?? lesson?.scenarios[0];
    if (!lesson || !scenario) {
      this.notice = both("data.no_lesson");
      return;
    }
    await this.#attempt(async (isLatest) => {
      const others = (scenario.beside ?? []).flatMap((other) => lesson.scenarios.find((one) => one.id === other) ?? []);
      const first = await this.play(lesson.number, scenario.id, []);
      const more = rules.length
        ? await this.play(lesson.number, scenario.id, rules)
        : undefined;
      const rest = more ? [] : await Promise.all(others.map((other) => this.play(lesson.number, other.id, [])));
      if (!isLatest()) return;
      this.quiz.stop();
      if (this.lesson !== lesson) this.#hasChosenView = false;
      this.#useViewOf(scenario, more !== undefined);
      this.lesson = lesson;
      this.scenario = scenario;
      this.rules = more ? rules : [];
      this.difference = more?.difference;
      if (more) return this.#showChanged(first.run, more);
      this.#show([new Pane(first.run, scenario.title), ...rest.map(({ run }, at) => new Pane(run, others[at]!.title))]);
      if (mark) this.goToLandmark(mark);
    });
  }

  chooseView(view: ViewName): void {
    this.view = view;
    this.#hasChosenView = true;
  }

  /** Where a changed run parts from the first is marked in the diagram. */
  #useViewOf({ view }: ScenarioHead, isChanged: boolean): void {
    if (isChanged) this.view = "sequence";
    if (isChanged || this.#hasChosenView || !this.hasRoom) return;
    this.hasPrograms = view === "programs" || recall("programs") === "1";
    this.view = view === undefined || view === "programs" ? "sequence" : view;
  }

  #showChanged(before: Run, { run, difference }: Played): void {
    const panes = [
      new Pane(before, both("compare.before"), difference?.before),
      new Pane(run, both("compare.after"), difference?.after),
    ];
    this.#show(panes, 1);
    if (difference?.before !== undefined) panes[0]!.cursor = difference.before;
  }

  #show(panes: Pane[], active = 0): void {
    this.panes = panes;
    this.active = active;
    this.notice = undefined;
    // Side by side they stand at one moment, whichever way one came to it.
    if (panes.length > 1) this.select(panes[active]!, panes[active]!.parts ?? 0);
  }

  /** Adds a rule for a segment of the run that is active: the scenario is played again with it. */
  async act(flight: Flight, action: Action): Promise<void> {
    const { run } = this.pane!;
    if (!this.lesson || !this.scenario || flight.number === undefined) return;
    const rule: Rule = { ...action, from: run.hosts[flight.from]!.name, number: flight.number };
    const isSame = (other: Rule) => other.from === rule.from && other.number === rule.number;
    await this.openScenario(this.lesson.number, this.scenario.id, [...this.rules.filter((other) => !isSame(other)), rule]);
  }

  async backToOriginal(): Promise<void> {
    if (this.lesson && this.scenario) await this.openScenario(this.lesson.number, this.scenario.id);
  }

  /** Why a segment of this run can't be changed; undefined: it can. */
  get cannot(): Text | undefined {
    const origin = this.pane?.run.origin;
    if (origin?.type === "captured") return both("menu.captured");
    if (origin?.type === "recorded") return both(origin.live ? "menu.live" : "menu.recorded");
    if (!this.source.canPlay) return both("menu.exported");
    return this.quiz.isOn ? both("menu.quiz") : undefined;
  }

  play(lesson: number, scenario: string, rules: Rule[]): Promise<Played> {
    const key = `${lesson} ${scenario} ${formatRules(rules)}`;
    let played = this.#played.get(key);
    if (!played) {
      played = this.source.play(lesson, scenario, rules);
      this.#played.set(key, played);
      played.catch(() => this.#played.delete(key));
    }
    return played;
  }

  /** The part of a long recording that begins with the event of this number; the cursor goes to another's. */
  async openWindow(first: number, at = first): Promise<void> {
    const { source, log } = this;
    if (!(source instanceof ServerSource) || !log) return;
    await this.#attempt(async (isLatest) => {
      const run = await source.window(first, log.window);
      if (!isLatest()) return;
      const pane = new Pane(run, run.title);
      this.#show([pane]);
      this.select(pane, at - (run.window?.first ?? 0));
    });
  }

  #follow(name: string): void {
    const { source } = this;
    if (!(source instanceof ServerSource)) return;
    const follower = new Follower(name, (run) => {
      const pane = this.panes[0];
      if (!pane) {
        this.#show([new Pane(run, run.title)]);
        this.panes[0]!.cursor = Math.max(0, run.events.length - 1);
        return;
      }
      const wasAtEnd = pane.cursor >= pane.run.events.length - 1;
      pane.run = run;
      if (wasAtEnd) pane.cursor = Math.max(0, run.events.length - 1);
    });
    this.awaited = name;
    source.live({
      piece: (piece) => follower.hear(piece),
      becameLog: (opening) => void this.open(opening),
      connected: (is) => (this.isConnected = is),
      trouble: (why) => {
        this.isConnected = false;
        this.notice = why;
      },
    });
  }

  /** Moves the cursor of a pane, and those beside it along: to the same event until they part, then to the same time. */
  select(pane: Pane, position: Position): void {
    const limit = pane === this.pane ? this.quiz.limit(pane.run) : undefined;
    const last = (limit ?? pane.run.events.length) - 1;
    const to = Math.max(0, Math.min(position, last));
    pane.cursor = to;
    const time_ns = pane.run.events[to]?.time_ns ?? 0;
    for (const other of this.panes) {
      if (other === pane) continue;
      const isShared = pane.parts !== undefined && to < pane.parts;
      other.cursor = isShared ? to : Math.max(0, lastAt(other.run, time_ns));
    }
  }

  togglePrograms(): void {
    this.hasPrograms = !this.hasPrograms;
    remember("programs", this.hasPrograms ? "1" : "0");
  }

  setProgramLanguage(language: string): void {
    this.programLanguage = language;
    remember("program-language", language);
  }

  /** A landmark of the run that is active, or else of one beside it. */
  goToLandmark(id: string, scenario = this.scenario?.id): void {
    const has = ({ run }: Pane) => run.landmarks.some((landmark) => landmark.id === id);
    const isOf = ({ run }: Pane) => run.origin.type !== "simulated" || run.origin.scenario === scenario;
    const candidates = this.pane ? [this.pane, ...this.seen] : [];
    const pane = candidates.find((one) => has(one) && isOf(one)) ?? candidates.find(has);
    const landmark = pane?.run.landmarks.find((one) => one.id === id);
    if (!pane || !landmark) return;
    this.active = this.panes.indexOf(pane);
    this.select(pane, landmark.at);
  }

  async #attempt(work: (isLatest: () => boolean) => Promise<void>): Promise<void> {
    const request = ++this.#request;
    this.isBusy = true;
    try {
      await work(() => request === this.#request);
    } catch (error) {
      if (request === this.#request) this.notice = textOf(error);
    } finally {
      if (request === this.#request) this.isBusy = false;
    }
  }
}

export function textOf(error: unknown): Text {
  if (error instanceof Unplayable) return error.text;
  if (error instanceof TypeError) return both("data.gone");
  return { en: String(error), zh: String(error) };
}
