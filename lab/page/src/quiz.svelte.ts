// Predicting: the run stops before an event and asks what it will be; the answer is graded and explained.

import type { Position, Question, Run } from "./run.ts";

export interface Verdict {
  given: string;
  isRight: boolean;
}

export class Quiz {
  isOn = $state(false);
  /** Which question of the run comes next. */
  #next = $state(0);
  verdict = $state.raw<Verdict>();
  right = $state(0);
  asked = $state(0);

  /** Begins at the first question that is still ahead of the cursor. */
  start(run: Run, cursor: Position): void {
    this.isOn = true;
    this.verdict = undefined;
    this.right = 0;
    this.asked = 0;
    const ahead = run.questions.findIndex(({ before }) => before > cursor);
    this.#next = ahead < 0 ? run.questions.length : ahead;
  }

  stop(): void {
    this.isOn = false;
    this.verdict = undefined;
  }

  /** The question that comes next, if any is left. */
  question(run: Run): Question | undefined {
    return this.isOn ? run.questions[this.#next] : undefined;
  }

  /** The event that must not be seen yet: its position; none: everything may. */
  limit(run: Run): Position | undefined {
    return this.question(run)?.before;
  }

  answer(question: Question, given: string): void {
    const isRight = normal(given, question) === normal(question.answer, question);
    this.verdict = { given, isRight };
    this.asked += 1;
    if (isRight) this.right += 1;
  }

  /** On to the next question. */
  goOn(): void {
    this.verdict = undefined;
    this.#next += 1;
  }
}

/** An answer without what doesn't matter: thousands' commas, the order of flags, capitals. */
function normal(answer: string, { subject }: Question): string {
  const plain = answer.trim().toUpperCase();
  if (subject === "flags") return plain.split(/[|,+\s]+/).filter(Boolean).sort().join("|");
  if (subject === "state") return plain.replaceAll("_", "-");
  const digits = plain.replaceAll(/[,\s]/g, "");
  return /^\d+$/.test(digits) ? String(Number(digits)) : plain;
}
