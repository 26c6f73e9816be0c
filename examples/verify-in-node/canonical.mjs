// What every check stands on: faults, digests, integers and canonical JSON.
import { createHash } from "node:crypto";

export const HASH = /^[0-9a-f]{64}$/;

export class Fault extends Error {}
export function check(holds, said) {
  if (!holds) throw new Fault(said);
}
export const sha256 = (...parts) =>
  parts.reduce((h, p) => h.update(p), createHash("sha256")).digest();
export const hex = (...parts) => sha256(...parts).toString("hex");
export const same = (a, b) => canonical(a) === canonical(b); // true is not 1, and no field is left over
// Compared with <, null is 0 and "7" a number: whatever is counted with passes through here.
export function int(value) {
  check(Number.isSafeInteger(value), "A number is no integer.");
  return value;
}
export const sum = (numbers) => numbers.reduce((total, value) => total + int(value), 0);

export function canonical(value, depth = 0) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return String(int(value));
  if (typeof value === "string") {
    check(value.isWellFormed() && value === value.normalize("NFC"), "Text is not in NFC.");
    return JSON.stringify(value);
  }
  check(typeof value === "object" && depth < 32, "No JSON, or deeper than 32 levels.");
  const inside = (item) => canonical(item, depth + 1);
  if (Array.isArray(value)) return `[${value.map(inside).join(",")}]`;
  const keys = Object.keys(value).sort();
  check(!keys.some((key) => /[^\x00-\x7f]/.test(key)), "A key is not ASCII.");
  return `{${keys.map((key) => `${JSON.stringify(key)}:${inside(value[key])}`).join(",")}}`;
}

export function parse(bytes, name) {
  check(bytes?.length <= 16 << 20, `${name} is missing or has more than 16 MiB.`);
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = JSON.parse(text);
  check(text.startsWith("{") && canonical(value) === text, `${name} is not in canonical form.`);
  return value;
}
