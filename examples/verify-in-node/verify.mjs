// Verifies a bundle by docs/attestation_format.md, with the exit codes of `hokusai verify`.
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const NOT_CHECKED =
  "Not checked: metrics but accuracy (none of predicted numbers), p but the exact one, errors, " +
  "intervals, DeltaOne, guards, current, payable_bps, seeds, nullifiers, cleaning, what is not " +
  "counted of leaves, predictions_digests, models, other signatures, mint, ledger, other fields.";

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const hex = (bytes) => sha256(bytes).toString("hex");
// Compared with <, null is 0 and "7" a number: whatever is counted with passes through here.
function int(value, least = Number.MIN_SAFE_INTEGER) {
  assert(Number.isSafeInteger(value) && value >= least, "A number is no integer, or too small.");
  return value;
}
const sum = (counts) => counts.reduce((total, count) => int(total + int(count, 0)), 0);

function canonical(value, depth = 0) {
  if (typeof value === "number") int(value);
  if (typeof value === "string")
    assert(value.isWellFormed() && value === value.normalize("NFC"), "Text is not in NFC.");
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  assert(depth < 32, "JSON is deeper than 32 levels.");
  if (Array.isArray(value)) return `[${value.map((v) => canonical(v, depth + 1)).join(",")}]`;
  const keys = Object.keys(value).sort();
  assert(!keys.some((key) => /[^\x00-\x7f]/.test(key)), "A key is not ASCII.");
  return `{${keys.map((k) => `${JSON.stringify(k)}:${canonical(value[k], depth + 1)}`).join(",")}}`;
}

// All files by their path inside the bundle, the four records, and these records' digests.
function read(folder, entries) {
  const bundle = { files: new Map(), digests: {} };
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    assert(entry.isFile() || entry.isDirectory(), `${path} is neither file nor folder.`);
    const name = relative(folder, path).split(sep).join("/");
    if (entry.isFile()) bundle.files.set(name, readFileSync(path));
  }
  for (const name of ["core", "plan", "decision", "manifest"]) {
    const bytes = bundle.files.get(`public/${name}.json`);
    assert(bytes?.length <= 16 << 20, `${name}.json is missing or has more than 16 MiB.`);
    [bundle[name], bundle.digests[name]] = [JSON.parse(bytes), hex(bytes)];
    assert(bytes.equals(Buffer.from(canonical(bundle[name]))), `${name}.json is not canonical.`);
  }
  return bundle;
}

function checkManifest({ files, manifest: { files: named, ...version } }) {
  assert.deepEqual(version, { manifest_version: 1 }, "The manifest is of another version.");
  const free = /^(run\.json|public\/(manifest\.json|(signatures|mint)\/[^/]+))$/;
  const found = [...files.keys()].filter((name) => !free.test(name));
  const isOpened = found.some((name) => name.startsWith("audit/"));
  const due = Object.keys(named).filter((name) => isOpened || !name.startsWith("audit/"));
  assert.deepEqual(found.sort(), due.sort(), "The manifest names other files than there are.");
  for (const name of found) assert(hex(files.get(name)) === named[name], `${name} was changed.`);
}

// How many of `keys` signed. An envelope of anything but this one statement is a fault.
function countSignatures({ files, digests, decision }, keys) {
  const { dry_run, verdict, provisional, payable_bps } = decision.body;
  const { core: core_digest, plan: plan_digest } = digests;
  const subject = (name) => ({ name: `${name}.json`, digest: { sha256: digests[name] } });
  const statement = canonical({
    _type: "https://in-toto.io/Statement/v1",
    subject: ["core", "decision", "manifest"].map(subject),
    predicateType: "urn:hokusai-assets:attestation:v1",
    predicate: { core_digest, plan_digest, dry_run, verdict, provisional, payable_bps },
  });
  const payload = Buffer.from(statement).toString("base64");
  const payloadType = "application/vnd.in-toto+json"; // of 28 bytes
  const signed = Buffer.from(`DSSEv1 28 ${payloadType} ${statement.length} ${statement}`);
  let count = 0;
  for (const [name, bytes] of files) {
    const [, keyid] = /^public\/signatures\/([0-9a-f]{64})\.dsse\.json$/.exec(name) ?? [];
    if (keyid === undefined) continue;
    const signature = Buffer.from(JSON.parse(bytes).signatures[0].sig, "base64");
    const signatures = [{ keyid, sig: signature.toString("base64") }];
    const isWhole = bytes.equals(Buffer.from(canonical({ payload, payloadType, signatures })));
    assert(isWhole && signature.length === 64, `${name} is no envelope of this statement.`);
    const key = keys.find((k) => hex(k.export({ type: "spki", format: "der" })) === keyid);
    assert(!key || verifySignature(null, signed, key, signature), `${name} is not by its key.`);
    if (key) count += 1; // a key that nobody gave shows nothing
  }
  return count;
}

// By themselves: where rows are not opened, counting starts here. A regression has no labels.
function checkJointCounts({ core: { benchmark, joint_counts, rows }, plan: { rule } }) {
  assert(joint_counts.length === int(rule.number_of_seeds, 1), "core.joint_counts: their number.");
  assert((benchmark.labels.length === 0) === "target_scale" in benchmark, "core: no labels.");
  const isClass = (value) => int(value, 0) < benchmark.labels.length;
  const isCell = (cell) => cell.length === 4 && cell.slice(0, 3).every(isClass) && cell[3] > 0;
  assert(joint_counts.flat().every(isCell), "core.joint_counts hold what is no cell.");
  const tallies = joint_counts.map((table) => sum(table.map((cell) => cell[3])));
  const counts = [rows.count, ...(benchmark.labels.length ? tallies : [])];
  assert.deepEqual(new Set(counts), new Set([benchmark.rows]), "core: other numbers of rows.");
}

// RFC 6962: the left part of n > 1 leaves is the largest power of two below n.
function rootOf(lines) {
  if (lines.length === 1) return sha256(Buffer.of(0), Buffer.from(lines[0]));
  const left = 2 ** (31 - Math.clz32(lines.length - 1));
  return sha256(Buffer.of(1), rootOf(lines.slice(0, left)), rootOf(lines.slice(left)));
}

function checkLeaves({ benchmark, joint_counts, rows }, packed) {
  const maxOutputLength = Math.max(5e6, 60 * packed.length); // past it, it is a bomb
  const lines = gunzipSync(packed, { maxOutputLength }).toString().split("\n");
  assert(lines.pop() === "" && lines.length > 0, "The leaves are none, or the last is cut.");
  const leaves = lines.map((line) => JSON.parse(line));
  const isLeaf = (leaf, i) => leaf.length === 8 && leaf[0] === i && canonical(leaf) === lines[i];
  const isPair = ([, , , , b, c]) => b.length <= c.length && c.length === joint_counts.length;
  assert(leaves.every(isLeaf) && leaves.every(isPair), "A line of the leaves is not its leaf.");
  const root = rootOf(lines).toString("hex");
  assert.deepEqual(rows, { ...rows, root, count: lines.length, leaf_version: 1 }, "core.rows.");
  const groups = new Set(leaves.map((leaf) => canonical(leaf[2])));
  assert(groups.size === 1 || !groups.has("null"), "Some leaves have no group.");
  assert(benchmark.clusters === (groups.has("null") ? null : groups.size), "benchmark.clusters.");
  for (const [seed, told] of benchmark.labels.length ? joint_counts.entries() : []) {
    const counts = {};
    for (const [, , , label, baseline, candidate] of leaves) {
      const [before] = baseline[baseline.length === 1 ? 0 : seed]; // a stored one has one training
      const cell = canonical([label, before, candidate[seed][0]]);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    const cells = Object.entries(counts).map(([cell, count]) => [...JSON.parse(cell), count]);
    cells.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    assert.deepEqual(told, cells, "core.joint_counts do not follow from the leaves.");
  }
}

function halfToEven(numerator, denominator) {
  const rest = ((int(numerator) % denominator) + denominator) % denominator;
  const below = (numerator - rest) / denominator;
  return 2 * rest > denominator || (2 * rest === denominator && below % 2) ? below + 1 : below;
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

function checkAccuracy({ benchmark, joint_counts, metrics: { accuracy } }, rule) {
  if (accuracy === undefined) return;
  const cells = joint_counts.flat();
  const right = sum(cells.map(([y, before, , n]) => (y === before ? n : 0)));
  const better = sum(cells.map(([y, before, after, n]) => (y !== before && y === after ? n : 0)));
  const worse = sum(cells.map(([y, before, after, n]) => (y === before && y !== after ? n : 0)));
  const share = (count) => halfToEven(count * 1e6, joint_counts.length * benchmark.rows);
  const told = ["baseline", "candidate", "delta"].map((name) => accuracy[`${name}_millionths`]);
  const follow = [share(right), share(right + better - worse), share(better - worse)];
  assert.deepEqual([...told, accuracy.method], [...follow, rule.tests.accuracy], "accuracy.");
  const isExact = joint_counts.length === 1 && benchmark.clusters === null;
  assert(isExact === (rule.tests.accuracy === "mcnemar_exact"), "rule.tests.accuracy.");
  if (!isExact) return;
  assert(better + worse <= 3e5, "More rows changed sides than this verifier counts with.");
  assert(Math.abs(int(accuracy.p_value_pico) - exactPico(better, worse)) <= 1, "accuracy: its p.");
}

function checkDecision({ core, plan, digests, decision: { body, ledger } }) {
  const { rule } = plan;
  const named = [core.plan_digest, body.plan_digest, body.core_digest, body.model_id];
  assert.deepEqual(named, [digests.plan, digests.plan, digests.core, plan.model_id], "Names.");
  const versions = [core.core_version, plan.plan_version, rule.version, body.decision_version];
  assert.deepEqual(versions, [2, 1, 1, 1], "A record is of another version.");
  for (const field of ["dry_run", "model_id", "task_digest", "content_roots", "paid_root"])
    assert.deepEqual(core[field], plan[field], `core.${field} is not the plan's.`);

  const { attempts_per_benchmark, familywise_alpha_pico, primary, tests } = rule;
  const { rows, rows_left_in_training: benchmark_rows_in_training } = core.benchmark;
  const leaked_rows = sum(core.counts.map(({ leaked }) => leaked));
  const distinct_rows = leaked_rows + sum(core.counts.map(({ kept }) => kept));
  const isBelow = leaked_rows * 1e6 <= int(rule.max_leaked_share_millionths) * distinct_rows;
  const isClean = benchmark_rows_in_training === 0 && distinct_rows > 0 && isBelow;
  const { baseline_millionths, candidate_millionths, p_value_pico } = core.metrics[primary];
  const isDefined = baseline_millionths !== null && candidate_millionths !== null; // null fails
  const bps = (millionths) => (isDefined ? halfToEven(millionths, 100) : null);
  const [baseline_bps, candidate_bps] = [bps(baseline_millionths), bps(candidate_millionths)];
  const delta_bps = isDefined ? candidate_bps - baseline_bps : null;
  const isLoss = primary !== "accuracy" && rule.lower_is_better?.includes(primary);
  const improvement_bps = isLoss ? -delta_bps : delta_bps;
  const isGain = isDefined && improvement_bps >= int(rule.min_delta_bps);
  const ps = [p_value_pico, core.delta_one.p_value_pico];
  const p_pico = ps.includes(null) ? NaN : Math.max(...ps.map((p) => int(p, 0)));
  const [K, alpha] = [int(attempts_per_benchmark, 1), int(familywise_alpha_pico, 0)].map(BigInt);
  const [e, pi] = [(BigInt(int(body.m, 1)) + K - 1n) / K, 314159265358979323846264338327950288n];
  const alpha_pico = Number((6n * alpha * 10n ** 70n) / (pi * pi * e * e * K)); // rounded down

  const numbers = { ...rule, rows, leaked_rows, distinct_rows, benchmark_rows_in_training };
  Object.assign(numbers, { baseline_bps, candidate_bps, delta_bps, improvement_bps, alpha_pico });
  Object.assign(numbers, { attempt: body.m, primary_p_pico: ps[0], delta_one_p_pico: ps[1] });
  Object.assign(numbers, { p_pico, primary_test: tests[primary], delta_one_test: tests.delta_one });
  const isLarge = int(rows) >= int(rule.min_benchmark_rows);
  for (const [i, holds] of [isClean, isLarge, isGain, p_pico <= alpha_pico].entries()) {
    assert.equal(body.clauses[i].holds, holds, `The clause ${body.clauses[i].name}.`);
    for (const [field, value] of Object.entries(body.clauses[i].numbers))
      assert.equal(value, numbers[field], `The clause ${body.clauses[i].name}: ${field}.`);
  }
  const names = ["data", "rows", "threshold", "evidence", "guards", "current"]; // two taken as told
  const found = body.clauses.map(({ name }) => name);
  assert.deepEqual(found, names.slice(0, ledger?.entry ? 6 : 5), "decision.body.clauses.");
  const [failed] = body.clauses.filter(({ holds }) => holds !== true);
  const verdict = !failed ? "accepted" : failed.name === "current" ? "superseded" : "rejected";
  const follow = { verdict, provisional: !ledger?.entry, dry_run: core.dry_run, rule_version: 1 };
  Object.assign(follow, { alpha_m_pico: alpha_pico, training_root: plan.content_roots.merged });
  assert.deepEqual(body, { ...body, ...follow }, "decision.body does not follow.");
  assert(int(body.payable_bps, 0) === 0 || verdict === "accepted", "payable_bps unaccepted.");
}

let exit_code = 2; // until there is a bundle to look at
try {
  const options = { key: { type: "string", multiple: true, default: [] } };
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  assert(positionals.length === 1, "Use: node verify.mjs BUNDLE [--key PUB.pem]...");
  const keys = values.key.map((path) => createPublicKey(readFileSync(path)));
  const entries = readdirSync(positionals[0], { recursive: true, withFileTypes: true });
  exit_code = 1; // a stranger's files may hold anything: whatever throws is a check that fails
  console.log(NOT_CHECKED);
  const bundle = read(positionals[0], entries);
  checkManifest(bundle);
  const signed = countSignatures(bundle, keys);
  checkJointCounts(bundle);
  const packed = bundle.files.get("audit/rows/leaves.jsonl.gz");
  if (packed) checkLeaves(bundle.core, packed);
  checkAccuracy(bundle.core, bundle.plan.rule);
  checkDecision(bundle);
  const { verdict, provisional, dry_run } = bundle.decision.body;
  console.log(`Core ${bundle.digests.core} is ${verdict}; rows are ${packed ? "" : "not "}opened.`);
  const isBinding = signed > 0 && signed === keys.length && !provisional && dry_run === false;
  console.log(isBinding ? "Valid, as far as this looks." : "Intact, but it binds nobody.");
  exit_code = isBinding ? 0 : 3;
} catch (error) {
  console.error(`Not verified: ${error.message}`);
}
process.exitCode = exit_code;
