// From leaves to numbers: their root (RFC 6962), joint counts, accuracy and its exact McNemar p.
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { HASH, canonical, check, int, same, sha256, sum } from "./canonical.mjs";

export const LEAVES = "audit/rows/leaves.jsonl.gz";

export function linesOf(packed) {
  const start = packed.subarray(0, 10).toString("hex");
  check(start === "1f8b08000000000000ff", `${LEAVES}: another gzip header.`);
  const maxOutputLength = Math.max(5e6, 60 * packed.length);
  // How much was eaten tells of what follows the one member, which gunzip would take or pass over.
  const { buffer: text, engine } = gunzipSync(packed, { maxOutputLength, info: true });
  const whole = packed.readUInt32LE(packed.length - 4) === text.length;
  check(whole && engine.bytesWritten === packed.length, `${LEAVES}: more than one gzip member.`);
  const lines = text.toString("latin1").split("\n");
  check(lines.pop() === "" && lines.length > 0, `${LEAVES} ends in the middle of a line.`);
  return lines;
}

function checkLeaf([, row, group, label, baseline, candidate, slices, salt], limits) {
  const within = (limit) => (value) => int(value) >= 0 && value < limit;
  const cells = [...baseline, ...candidate];
  const classes = [label, ...cells.map(([prediction]) => prediction)].every(within(limits.classes));
  const scores = cells.flatMap(([, ...values]) => values).every(within(1e6 + 1));
  const seeds = [baseline, candidate].every(({ length }) => [1, limits.seeds].includes(length));
  const names = [row, group ?? row, salt].every((value) => HASH.test(value));
  const holds = classes && scores && seeds && names && slices.every(within(limits.guarded));
  check(holds, `${LEAVES}: a value is out of range.`);
}

export function checkRows({ core, plan: { rule } }, lines) {
  const [classes, seeds] = [core.benchmark.labels.length, int(rule.number_of_seeds)];
  // Without classes numbers are predicted: labels and predictions are millionths of their scale.
  check((core.benchmark.target_scale === undefined) === classes > 0, "core.benchmark.labels.");
  const guarded = rule.guards.filter((guard) => "slice" in guard).length;
  const limits = { classes: classes || 1e6 + 1, seeds, guarded };
  const tables = Array.from({ length: seeds }, () => new Map());
  const digests = [createHash("sha256"), createHash("sha256")]; // of each model's predictions
  const [groups, complete] = [new Set(), []]; // complete: roots of whole subtrees, left to right
  for (const [index, line] of lines.entries()) {
    const leaf = JSON.parse(line);
    const form = leaf.length === 8 && leaf[0] === index && canonical(leaf) === line;
    check(form, `${LEAVES}: line ${index} is not its leaf.`);
    checkLeaf(leaf, limits);
    const [, , group, label, ...models] = leaf;
    groups.add(group);
    digests.forEach((digest, m) => digest.update(`[${index},${canonical(models[m])}]\n`));
    for (const [seed, table] of classes ? tables.entries() : []) {
      const predicted = models.slice(0, 2).map((cells) => (cells[seed] ?? cells[0])[0]);
      const cell = [label, ...predicted].map((v) => String(v).padStart(9, "0")).join();
      table.set(cell, (table.get(cell) ?? 0) + 1);
    }
    let node = sha256("\x00", line);
    for (let rest = index; rest & 1; rest >>= 1) node = sha256("\x01", complete.pop(), node);
    complete.push(node);
  }
  const root = complete.reduceRight((right, left) => sha256("\x01", left, right)).toString("hex");
  check(same([core.rows.count, core.rows.root], [lines.length, root]), "core.rows.root or count.");
  const clusters = groups.has(null) ? null : groups.size;
  check(core.benchmark.clusters === clusters, "core.benchmark.clusters is another number.");
  const joint = tables.map((table) =>
    [...table].sort().map(([cell, rows]) => [...cell.split(",").map(Number), rows]),
  );
  check(same(core.joint_counts, joint), "core.joint_counts do not follow from the leaves.");
  const [baseline, candidate] = digests.map((digest) => digest.digest("hex"));
  check(same(core.predictions_digests, { baseline, candidate }), "core.predictions_digests.");
}

// Half to even, in BigInt: there is no last bit of doubt.
export function rounded(numerator, denominator) {
  if (numerator < 0) return 0 - rounded(-numerator, denominator);
  const [n, d] = [BigInt(numerator), BigInt(denominator)];
  const [whole, twice] = [n / d, 2n * (n % d)];
  return Number(twice > d || (twice === d && whole & 1n) ? whole + 1n : whole);
}

// P(Bin(better + worse, 1/2) >= better) in 1e-12, rounded up.
function exactPico(better, worse) {
  const n = BigInt(better + worse);
  let [choose, total] = [1n, 0n];
  for (let k = n; k >= better; k -= 1n) {
    total += choose;
    choose = (choose * k) / (n - k + 1n);
  }
  return Number((total * 10n ** 12n + (1n << n) - 1n) >> n);
}

export function checkNumbers({ core, plan: { rule } }) {
  const tables = core.joint_counts;
  const cells = tables.flat();
  const form = (cell) => cell.length === 4 && cell.every((v) => int(v) >= 0) && cell[3] > 0;
  check(tables.length === rule.number_of_seeds && cells.every(form), "core.joint_counts: form.");
  const tallies = tables.map((table) => sum(table.map((cell) => cell[3])));
  const isNumber = core.benchmark.target_scale !== undefined; // then no tables count the rows
  check(isNumber === (core.benchmark.labels.length === 0), "core.benchmark: labels or a scale.");
  const counts = [core.rows.count, ...(isNumber ? [] : tallies)];
  const isCounted = counts.every((rows) => rows === core.benchmark.rows);
  check(isCounted, "core.benchmark.rows is not the number that was counted.");
  check(!isNumber || cells.length === 0, "core.joint_counts: numbers have none.");
  if (!rule.included.includes("accuracy")) return;
  const count = (has) => sum(cells.filter(has).map((cell) => cell[3]));
  const better = count(([label, before, after]) => label !== before && label === after);
  const worse = count(([label, before, after]) => label === before && label !== after);
  const right = count(([label, before]) => label === before);
  const parts = [right, right + better - worse, better - worse];
  const all = count(() => true);
  const follow = parts.map((part) => rounded(part * 1e6, all));
  const { p_value_pico, method, ...accuracy } = core.metrics.accuracy;
  const said = ["baseline", "candidate", "delta"].map((name) => accuracy[`${name}_millionths`]);
  check(same(said, follow) && method === rule.tests.accuracy, "core.metrics.accuracy.");
  if (method !== "mcnemar_exact") return;
  check(tables.length === 1 && core.benchmark.clusters === null, "mcnemar_exact: seeds or groups.");
  const p = exactPico(better, worse);
  check(Math.abs(int(p_value_pico) - p) <= 1, "core.metrics.accuracy.p_value_pico: another p.");
}
