// Rules as links write them: `client.3.drop`, `server.2.delay.40`, `client.4.corrupt.161`.

import type { Action, Rule } from "./run.ts";

export function sameRules(a: Rule[], b: Rule[]): boolean {
  return formatRules(a) === formatRules(b);
}

export function formatRules(rules: Rule[]): string {
  return rules.map(formatRule).sort().join(",");
}

function formatRule(rule: Rule): string {
  const parts: (string | number)[] = [encodeURIComponent(rule.from).replaceAll(".", "%2E"), rule.number, rule.action];
  if (rule.action === "delay") parts.push(rule.delay_ms);
  if (rule.action === "corrupt") parts.push(rule.bit);
  return parts.join(".");
}

/** The rules of a link; what is not a rule is left out. */
export function parseRules(text: string): Rule[] {
  return text.split(",").flatMap((part) => {
    const [from, number, name, amount] = part.split(".");
    const action = parseAction(name, Number(amount));
    if (!from || !action || !isCount(Number(number)) || Number(number) < 1) return [];
    const host = decoded(from);
    return host === undefined ? [] : [{ ...action, from: host, number: Number(number) }];
  });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function parseAction(name: string | undefined, amount: number): Action | undefined {
  switch (name) {
    case "drop":
    case "duplicate":
    case "reorder":
      return { action: name };
    case "delay":
      return isCount(amount) ? { action: name, delay_ms: amount } : undefined;
    case "corrupt":
      return isCount(amount) ? { action: name, bit: amount } : undefined;
    default:
      return undefined;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
