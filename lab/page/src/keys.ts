// The keys: everything can be done without a mouse.

import type { Lab } from "./lab.svelte.ts";
import { language, setLanguage } from "./language.svelte.ts";
import type { Player } from "./player.svelte.ts";
import { overPause, step, type Unit } from "./steps.ts";
import { VIEWS } from "./view.ts";

/** Obeys a key; returns whether it meant anything. */
export function keyPressed(event: KeyboardEvent, lab: Lab, player: Player, openHelp: () => void): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return false;
  // A button that has the focus is pressed by the space bar.
  if (event.key === " " && event.target instanceof HTMLButtonElement) return false;
  return moves(event, lab, player) || switches(event, lab, player, openHelp);
}

function isWriting(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return true;
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

function moves(event: KeyboardEvent, lab: Lab, player: Player): boolean {
  const { pane } = lab;
  const move = moveOf(event);
  if (!pane || !move) return false;
  const run = lab.visible(pane);
  player.stop();
  if (move.unit === "idle") lab.select(pane, overPause(run, pane.cursor) ?? pane.cursor);
  else lab.select(pane, step(run, pane.cursor, move.unit, move.forwards));
  return true;
}

function moveOf({ key, shiftKey }: KeyboardEvent): { unit: Unit | "idle"; forwards: boolean } | undefined {
  switch (key) {
    case "ArrowRight":
      return { unit: shiftKey ? "round_trip" : "event", forwards: true };
    case "ArrowLeft":
      return { unit: shiftKey ? "round_trip" : "event", forwards: false };
    case "ArrowDown":
      return { unit: "segment", forwards: true };
    case "ArrowUp":
      return { unit: "segment", forwards: false };
    case "Home":
      return { unit: "end", forwards: false };
    case "End":
      return { unit: "end", forwards: true };
    case "j":
    case "J":
      return { unit: "idle", forwards: true };
    default:
      return undefined;
  }
}

function switches({ key }: KeyboardEvent, lab: Lab, player: Player, openHelp: () => void): boolean {
  const view = VIEWS[Number(key) - 1];
  if (view) {
    lab.chooseView(view);
    return true;
  }
  switch (key.toLowerCase()) {
    case " ":
      player.toggle();
      return true;
    case "?":
      openHelp();
      return true;
    case "l":
      setLanguage(language() === "en" ? "zh" : "en");
      return true;
    case "o":
      if (lab.rules.length) void lab.backToOriginal();
      return true;
    case "c":
      lab.togglePrograms();
      return true;
    case "p":
      if (lab.quiz.isOn) lab.quiz.stop();
      else if (lab.pane?.run.questions.length) lab.quiz.start(lab.pane.run, lab.pane.cursor);
      return true;
    case "[":
    case "]":
      if (!lab.quiz.isOn) lab.active = (lab.active + (key === "]" ? 1 : lab.panes.length - 1)) % Math.max(1, lab.panes.length);
      return true;
    default:
      return false;
  }
}
