// A second verifier of bundles, written from docs/attestation_format.md alone: node 20 and nothing
// else. Of each step it says how far it goes: of metrics it counts accuracy and mae, of clauses all
// but guards; payable_bps, t distributions, typed data of mint requests and ledgers are not its.
import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const STEPS = ["files", "form", "signatures", "rows", "numbers", "decision", "plan", "ledger",
  "order", "replay", "mint"];
const OUTCOMES = {
  0: "Valid, as far as this verifier looks.",
  1: "Not valid: something was changed, or does not follow.",
  3: "Intact, but it binds nobody: unsigned, provisional or a dry run.",
};
const LEAVES = "audit/rows/leaves.jsonl.gz";
const TYPE = "application/vnd.in-toto+json";
const SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const ROLES = ["baseline", "candidate"];
const ADDED = new RegExp("^public/(signatures/[0-9a-f]{64}\\.(dsse|sigstore|test-result\\.dsse"
  + `|(${ROLES.join("|")})\\.model\\.sigstore)|mint/[0-9a-f]{64})\\.json$`);
const [HASH, NUMBER] = ['"[0-9a-f]{64}"', "(0|[1-9][0-9]{0,15})"];
const list = (item) => `\\[${item}(,${item})*\\]`;
const LEAF = new RegExp(`^\\[${NUMBER},${HASH},(null|${HASH}),${NUMBER},${list(list(NUMBER))}`
  + `,${list(list(NUMBER))},(\\[\\]|${list(NUMBER)}),${HASH}\\]$`);

class Fault extends Error {}
const check = (holds, said) => { if (!holds) throw new Fault(said); };
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash("sha256")).digest();
const hex = (...parts) => sha256(...parts).toString("hex");
const same = (a, b) => canonical(a) === canonical(b); // true is not 1, and no field is left over
// Compared with <, null is 0 and "7" a number: whatever is counted with passes through here.
function int(value) {
  check(Number.isSafeInteger(value), "A number is no integer.");
  return value;
}
const sum = (numbers) => numbers.reduce((total, value) => total + int(value), 0);
const near = (a, b) => Math.abs(int(a) - int(b)) <= 1;

function canonical(value, depth = 0) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return String(int(value));
  if (typeof value === "string") {
    check(value.isWellFormed() && value === value.normalize("NFC"), "Text is not in NFC.");
    return JSON.stringify(value);
  }
  check(typeof value === "object" && depth < 32, "Nested deeper than 32 levels.");
  if (Array.isArray(value)) return `[${value.map((v) => canonical(v, depth + 1)).join(",")}]`;
  const keys = Object.keys(value).sort();
  check(keys.every((key) => !/[^\x00-\x7f]/.test(key)), "A key is not ASCII.");
  return `{${keys.map((k) => `${JSON.stringify(k)}:${canonical(value[k], depth + 1)}`).join(",")}}`;
}

function parse(bytes, name) {
  check(bytes.length <= 16 << 20, `${name} has more than 16 MiB.`);
  try {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const value = JSON.parse(utf8.decode(bytes));
    check(Buffer.from(canonical(value)).equals(bytes) && bytes[0] === 0x7b, "Another writing.");
    return value;
  } catch (error) {
    const why = error instanceof Fault ? error.message : "";
    throw new Fault(`${name} is no object in canonical JSON: it was changed. ${why}`);
  }
}

function read(folder) {
  const bundle = { files: new Map() };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = path.slice(join(folder, sep).length).split(sep).join("/");
    check(entry.isFile() || entry.isDirectory(), `${name} is neither file nor folder.`);
    if (entry.isFile()) bundle.files.set(name, readFileSync(path));
  }
  for (const record of ["manifest", "core", "plan", "decision"]) {
    const bytes = bundle.files.get(`public/${record}.json`);
    check(bytes, `public/${record}.json is missing.`);
    bundle[record] = parse(bytes, `public/${record}.json`);
    bundle[`${record}Digest`] = hex(bytes);
  }
  return bundle;
}

function checkFiles({ files, manifest }) {
  const { files: named, manifest_version: version } = manifest;
  check(same(manifest, { files: named, manifest_version: 1 }), `The manifest: version ${version}.`);
  for (const record of ["core", "plan", "decision"])
    check(Object.hasOwn(named, `public/${record}.json`), `The manifest lacks ${record}.json.`);
  for (const name of ["public/manifest.json", "run.json"])
    check(!Object.hasOwn(named, name), `The manifest names ${name}, which it cannot cover.`);
  const audit = [...files.keys()].some((name) => name.startsWith("audit/"));
  for (const [name, digest] of Object.entries(named)) {
    check(typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest), `${name} has no digest.`);
    if (!audit && name.startsWith("audit/")) continue;
    check(files.has(name), `${name} is missing.`);
    check(hex(files.get(name)) === digest, `${name} has not the digest of public/manifest.json.`);
  }
  for (const name of files.keys())
    check(Object.hasOwn(named, name) || ADDED.test(name) || name === "run.json"
      || name === "public/manifest.json", `${name} is no file of a bundle.`);
  return ["holds", `${files.size} files have their digests${audit ? "" : "; audit/ is not here"}.`];
}

export function readKey(path) {
  const pem = readFileSync(path, "latin1");
  const key = pem.startsWith("-----BEGIN PUBLIC KEY-----") ? createPublicKey(pem) : {};
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`${path} is no Ed25519 public key.`);
  return { key, id: hex(key.export({ type: "spki", format: "der" })) };
}

function decoded(text, name) {
  const bytes = Buffer.from(String(text), "base64");
  check(bytes.toString("base64") === text, `${name} holds base64 written otherwise.`);
  return bytes;
}

function statements(bundle) {
  const { dry_run, verdict, provisional, payable_bps, clauses } = bundle.decision.body;
  const of = (name) => ({ name: `${name}.json`, digest: { sha256: bundle[`${name}Digest`] } });
  const statement = (predicateType, predicate) => Buffer.from(canonical({
    _type: "https://in-toto.io/Statement/v1",
    subject: ["core", "decision", "manifest"].map(of), predicateType, predicate,
  }));
  const held = clauses.map(({ name, holds }) => [name, holds]);
  if (provisional && !held.some(([name]) => name === "current")) held.push(["current", null]);
  const tests = (holds) => held.filter((clause) => clause[1] === holds).map(([name]) => name);
  return [statement("urn:hokusai-assets:attestation:v1", {
    core_digest: bundle.coreDigest, plan_digest: bundle.planDigest,
    dry_run, verdict, provisional, payable_bps,
  }), statement("https://in-toto.io/attestation/test-result/v0.1", {
    result: verdict === "accepted" ? "PASSED" : "FAILED", configuration: [of("plan")],
    passedTests: tests(true), warnedTests: tests(null), failedTests: tests(false),
  })];
}

function checkModelStatement(bundle, id, role) {
  const name = `public/signatures/${id}.${role}.model.sigstore.json`;
  check(bundle.files.has(name), `${name} is missing.`);
  const value = parse(bundle.files.get(name), name);
  const { payload, signatures: [{ sig }] } = value.dsseEnvelope;
  const { hint } = value.verificationMaterial.publicKey;
  check(/^[0-9a-f]{64}$/.test(hint) && same(value, {
    mediaType: SIGSTORE, verificationMaterial: { publicKey: { hint } },
    dsseEnvelope: { payload, payloadType: TYPE, signatures: [{ keyid: id, sig }] },
  }), `${name} has not the form of its kind.`);
  const size = decoded(sig, name).length;
  check(size >= 8 && size <= 72, `${name}: sig is no ECDSA signature on P-256.`);
  const folder = `audit/models/${role}/`;
  const resources = Object.entries(bundle.manifest.files)
    .filter(([path]) => path.startsWith(folder))
    .map(([path, digest]) => ({ name: path.slice(folder.length), algorithm: "sha256", digest }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const root = hex(...resources.map(({ digest }) => Buffer.from(digest, "hex")));
  check(resources.length && decoded(payload, name).toString() === canonical({
    _type: "https://in-toto.io/Statement/v1", subject: [{ name: role, digest: { sha256: root } }],
    predicateType: "https://model_signing/signature/v1.0", predicate: { resources,
      serialization: { method: "files", hash_type: "sha256", allow_symlinks: false } },
  }), `${name} signs another model.`);
}

function checkSignatures(bundle, keys) {
  const [own, result] = statements(bundle);
  const names = [...bundle.files.keys()].filter((name) => name.startsWith("public/signatures/"));
  const ofModel = (name) => name.endsWith(".model.sigstore.json");
  const idsOf = (some) => new Set(some.map((name) => name.slice(18, 82)));
  const [signers, models] = [idsOf(names.filter((n) => !ofModel(n))), idsOf(names.filter(ofModel))];
  for (const id of models) for (const role of ROLES) checkModelStatement(bundle, id, role);
  for (const id of signers) for (const kind of ["dsse", "sigstore", "test-result.dsse"]) {
    const name = `public/signatures/${id}.${kind}.json`;
    check(bundle.files.has(name), `${name} is missing.`);
    const value = parse(bundle.files.get(name), name);
    const envelope = kind === "sigstore" ? value.dsseEnvelope : value;
    const { payload: text, signatures: [{ sig }] } = envelope;
    const form = { payload: text, payloadType: TYPE, signatures: [{ keyid: id, sig }] };
    check(same(value, kind !== "sigstore" ? form : {
      mediaType: SIGSTORE, verificationMaterial: { publicKey: { hint: id } }, dsseEnvelope: form,
    }), `${name} has not the form of its kind.`);
    const [payload, signature] = [decoded(text, name), decoded(sig, name)];
    check(signature.length === 64, `${name}: sig has not 64 bytes.`);
    const known = keys.find((given) => given.id === id);
    const head = `DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `;
    check(!known || verifySignature(null, Buffer.concat([Buffer.from(head), payload]), known.key,
      signature), `${name}: the signature is not by this key, or what it signs was changed.`);
    check(payload.equals(kind === "test-result.dsse" ? result : own), `${name} signs other files.`);
  }
  const count = keys.filter(({ id }) => signers.has(id)).length;
  const said = `${count} of ${keys.length} given keys signed.`
    + (models.size ? " Models are signed too: by whom is not checked." : "");
  if (bundle.core.dry_run) return ["dry run", "A dry run counts for nothing, whoever signed it."];
  return [keys.length && count === keys.length ? "holds" : "unsigned", said];
}

function linesOf(packed) {
  const start = packed.subarray(0, 10).toString("hex");
  check(start === "1f8b08000000000000ff", `${LEAVES}: another gzip header.`);
  const maxOutputLength = Math.max(5e6, 60 * packed.length);
  // How much was eaten tells of what follows the one member, which gunzip would take or pass over.
  const { buffer: text, engine } = gunzipSync(packed, { maxOutputLength, info: true });
  check(engine.bytesWritten === packed.length && packed.readUInt32LE(packed.length - 4)
    === text.length, `${LEAVES}: something follows the gzip member.`);
  const lines = text.toString("latin1").split("\n");
  check(lines.pop() === "" && lines.length, `${LEAVES} ends in the middle of a line.`);
  return lines;
}

function checkRows(bundle) {
  const { files, core, plan: { rule } } = bundle;
  if (!files.has(LEAVES)) return ["not opened", "The leaves are not here."];
  const lines = linesOf(files.get(LEAVES));
  const [classes, seeds] = [core.benchmark.labels.length, int(rule.number_of_seeds)];
  // Without labels numbers are predicted, label and prediction being millionths of their scale.
  const top = classes ? classes - 1 : 1e6;
  const errors = [0n, 0n]; // of baseline and candidate, added over seeds
  const guarded = rule.guards.filter((guard) => "slice" in guard).length;
  const tables = Array.from({ length: seeds }, () => new Map());
  const digests = { baseline: createHash("sha256"), candidate: createHash("sha256") };
  const [groups, complete] = [new Set(), []]; // complete: roots of whole subtrees, left to right
  const shapeOf = ([, , group, , ...models]) =>
    JSON.stringify([group === null, ...models.slice(0, 2).map((m) => [m.length, m[0].length])]);
  let shape;
  lines.forEach((line, index) => {
    const where = `${LEAVES}: leaf ${index}`;
    check(line.length <= 1 << 20 && LEAF.test(line), `${where} has not the form of a leaf.`);
    const leaf = JSON.parse(line);
    const [at, , group, label, baseline, candidate, slices] = leaf;
    shape ??= shapeOf(leaf);
    check(at === index && shapeOf(leaf) === shape, `${where} is of another index or shape.`);
    for (const [model, cells] of Object.entries({ baseline, candidate })) {
      for (const [predicted, ...scores] of cells)
        check(predicted <= top && scores.every((score) => score <= 1e6)
          && scores.length === cells[0].length - 1
          && [0, classes === 2 ? 1 : classes].includes(scores.length), `${where}: ${model}.`);
      check([1, seeds].includes(cells.length), `${where}: ${model} has another number of seeds.`);
      digests[model].update(`[${index},${JSON.stringify(cells)}]\n`);
    }
    check(label <= top && slices.every((s, i) => s < guarded && (!i || s > slices[i - 1])),
      `${where}: label or slices are out of range.`);
    groups.add(group);
    tables.forEach((table, seed) => {
      const predictions = [baseline, candidate].map((cells) => (cells[seed] ?? cells[0])[0]);
      if (!classes) {
        predictions.forEach((p, model) => { errors[model] += BigInt(Math.abs(label - p)); });
        return;
      }
      const cell = [label, ...predictions].map((v) => String(v).padStart(9, "0")).join();
      table.set(cell, (table.get(cell) ?? 0) + 1);
    });
    let node = sha256("\x00", line);
    for (let rest = index; rest & 1; rest >>= 1) node = sha256("\x01", complete.pop(), node);
    complete.push(node);
  });
  const root = complete.reduceRight((right, left) => sha256("\x01", left, right)).toString("hex");
  const { count, root: said } = core.rows;
  check(count === lines.length && said === root, `${LEAVES}: core.rows names another root.`);
  const grouped = !groups.has(null);
  check(rule.tests.delta_one.includes("cluster") === grouped && core.benchmark.clusters
    === (grouped ? groups.size : null), "core.benchmark.clusters does not follow from the leaves.");
  const joint = tables.map((table) => [...table].sort()
    .map(([cell, rows]) => [...cell.split(",").map(Number), rows]));
  check(same(core.joint_counts, joint), "core.joint_counts do not follow from the leaves.");
  for (const [model, digest] of Object.entries(digests))
    check(core.predictions_digests[model] === digest.digest("hex"), `predictions_digests.${model}`);
  if (!classes) bundle.errors = errors;
  const more = classes ? " and its joint counts" : "";
  return ["holds", `${lines.length} leaves have the core's root${more}.`];
}

// In BigInt: what is rounded half to even, or up, has no last bit of doubt.
function rounded(numerator, denominator) {
  if (numerator < 0) return 0 - rounded(-numerator, denominator);
  const [n, d] = [BigInt(numerator), BigInt(denominator)];
  const [whole, twice] = [n / d, 2n * (n % d)];
  return Number(twice > d || (twice === d && whole & 1n) ? whole + 1n : whole);
}
const millionths = (part, rows) => rounded(part * 1e6, rows);

function exactPico(better, worse) { // P(Bin(b + c, 1/2) >= c), rounded up
  const n = BigInt(better + worse);
  let [choose, total] = [1n, 0n];
  for (let k = n; k >= better; k -= 1n) {
    total += choose;
    choose = (choose * k) / (n - k + 1n);
  }
  return Number((total * 10n ** 12n + (1n << n) - 1n) >> n);
}

function normalTail(x) { // the chance of a standard normal to exceed x
  if (x < 0) return 1 - normalTail(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let [term, series] = [x, x];
    for (let k = 3; k < 100; k += 2) series += term *= (x * x) / k;
    return 0.5 - density * series;
  }
  let fraction = x;
  for (let k = 300; k > 0; k -= 1) fraction = x + k / fraction;
  return density / fraction;
}

function checkNumbers({ core, errors, plan: { rule } }) {
  const { metrics, joint_counts: tables, delta_one: one } = core;
  const cells = tables.flat();
  check(cells.every((cell) => cell.length === 4 && cell.every((v) => int(v) >= 0) && cell[3] > 0),
    "core.joint_counts: a cell is none.");
  check(same(Object.keys(metrics).sort(), [...rule.included].sort()), "core.metrics: other names.");
  check(same(core.guards.map((g) => g.name), rule.guards.map((g) => g.name)), "core.guards");
  if (core.benchmark.target_scale !== undefined) return checkErrors(core, rule, errors);
  const unseen = [...rule.included.filter((name) => name !== "accuracy"), "guards"];
  const alone = same(rule.included, ["accuracy"]);
  const exact = rule.tests.accuracy === "mcnemar_exact";
  if (!alone || !exact) unseen.push("DeltaOne");
  if (!rule.included.includes("accuracy")) return ["in part", `Not counted: ${unseen.join(", ")}.`];
  const count = (has) => sum(cells.filter(has).map((cell) => cell[3]));
  const [n, b, c] = [count(() => true), count(([y, p, q]) => y === p && y !== q),
    count(([y, p, q]) => y !== p && y === q)];
  const right = [count(([y, p]) => y === p), count(([y, , q]) => y === q)];
  const { accuracy } = metrics;
  const [before, after, delta] = [...right, c - b].map((part) => millionths(part, n));
  check(accuracy.baseline_millionths === before && accuracy.candidate_millionths === after
    && accuracy.delta_millionths === delta && accuracy.undefined === null
    && accuracy.method === rule.tests.accuracy, "core.metrics.accuracy does not follow.");
  if (exact) {
    check(tables.length === 1 && core.benchmark.clusters === null, "mcnemar_exact: of groups?");
    const error = Math.sqrt(b + c - (c - b) ** 2 / n) / n;
    check(near(accuracy.p_value_pico, exactPico(c, b)), "core.metrics.accuracy.p_value_pico");
    check(near(accuracy.standard_error_nano, Math.round(error * 1e9)), "accuracy's error.");
    const p = c === b ? (b ? 0.5 : 1) : normalTail((c - b) / n / error);
    const defined = error > 1e-13 || c === b;
    if (alone && defined) check(one.millionths === delta && near(one.standard_error_nano,
      accuracy.standard_error_nano) && near(one.p_value_pico, Math.ceil(p * 1e12))
      && near(one.null_standard_error_nano, Math.round((Math.sqrt(b + c) / n) * 1e9))
      && same(one.metrics_included, ["accuracy"]) && same(one.metrics_missing, {})
      && same(one.weights_millionths, { accuracy: 1e6 }) && one.degrees_of_freedom_milli === null
      && one.undefined === null, "core.delta_one does not follow from accuracy.");
  } else unseen.push("accuracy's error and p");
  return ["in part", `Accuracy follows; not counted: intervals, ${unseen.join(", ")}.`];
}

// Of predicted numbers: the mean of |label - prediction|, and nothing else.
function checkErrors({ metrics, rows: { count } }, rule, errors) {
  const unseen = [...rule.included.filter((name) => name !== "mae"), "DeltaOne", "guards"];
  if (!rule.included.includes("mae") || errors === undefined)
    return ["in part", `Not counted: ${[...rule.included, "DeltaOne", "guards"].join(", ")}.`];
  const all = int(count) * int(rule.number_of_seeds);
  const [before, after, delta] = [...errors, errors[1] - errors[0]].map((e) => rounded(e, all));
  check(metrics.mae.baseline_millionths === before && metrics.mae.candidate_millionths === after
    && metrics.mae.delta_millionths === delta && metrics.mae.undefined === null
    && metrics.mae.method === rule.tests.mae, "core.metrics.mae does not follow.");
  return ["in part", `mae follows; not counted: its error and p, intervals, ${unseen.join(", ")}.`];
}

function levelPico(rule, m) {
  const [block, pi] = [int(rule.attempts_per_benchmark), 314159265358979323846264338327950288n];
  const share = 6n * BigInt(int(rule.familywise_alpha_pico)) * 10n ** 70n;
  return Number(share / (pi * pi * BigInt(Math.ceil(m / block)) ** 2n * BigInt(block)));
}

function modelDigests({ manifest }, role) {
  const files = Object.entries(manifest.files);
  return files.filter(([name]) => name.startsWith(`audit/models/${role}/`)).map(([, d]) => d);
}

function checkDecision({ core, plan, decision: { body, ledger, ...more }, ...bundle }) {
  const { rule } = plan;
  check(same(modelDigests(bundle, "candidate"), [body.candidate_file_sha256]),
    "body.candidate_file_sha256 is not the manifest's.");
  const total = (...fields) => sum(core.counts.flatMap((counts) => fields.map((f) => counts[f])));
  const [leaked, distinct, m] = [total("leaked"), total("leaked", "kept"), int(body.m)];
  const limit = int(rule.max_leaked_share_millionths);
  const [left, rows] = [int(core.benchmark.rows_left_in_training), int(core.benchmark.rows)];
  const [leastRows, leastDelta] = [int(rule.min_benchmark_rows), int(rule.min_delta_bps)];
  const bps = (value) => (value === null ? null : rounded(int(value), 100));
  const primary = core.metrics[rule.primary];
  const [old, now] = [bps(primary.baseline_millionths), bps(primary.candidate_millionths)];
  const loss = (rule.lower_is_better ?? []).includes(rule.primary);
  const [known, gain] = [old !== null && now !== null, loss ? old - now : now - old];
  const ps = [primary.p_value_pico, core.delta_one.p_value_pico];
  const [level, worst] = [levelPico(rule, m), ps.includes(null) ? null : Math.max(...ps.map(int))];
  const guards = body.clauses[4];
  check(guards.name === "guards" && typeof guards.holds === "boolean", "body.clauses: guards.");
  const clauses = [["data", left === 0 && distinct > 0 && leaked * 1e6 <= limit * distinct, {
    benchmark_rows_in_training: left, leaked_rows: leaked, distinct_rows: distinct,
    max_leaked_share_millionths: limit,
  }], ["rows", rows >= leastRows, { rows, min_benchmark_rows: leastRows }],
  ["threshold", known && gain >= leastDelta, {
    primary: rule.primary, min_delta_bps: leastDelta, delta_bps: known ? now - old : null,
    ...(known && { baseline_bps: old, candidate_bps: now, ...(loss && { improvement_bps: gain }) }),
  }], ["evidence", worst !== null && worst <= level, {
    attempt: m, alpha_pico: level, primary_p_pico: ps[0], delta_one_p_pico: ps[1],
    primary_test: rule.tests[rule.primary], delta_one_test: rule.tests.delta_one,
    ...(worst !== null && { p_pico: worst }),
  }]].map(([name, holds, numbers]) => ({ name, holds, numbers })).concat(guards);
  let verdict = clauses.every((clause) => clause.holds) ? "accepted" : "rejected";
  if (ledger !== null) {
    const { holds } = body.clauses[5];
    check(typeof holds === "boolean", "body.clauses: current is neither true nor false.");
    if (verdict === "accepted" && !holds) verdict = "superseded";
    clauses.push({ name: "current", holds, numbers: {} });
  }
  const payable = verdict === "accepted" ? int(body.payable_bps) : 0;
  const expected = {
    decision_version: 1, core_digest: bundle.coreDigest, plan_digest: bundle.planDigest,
    rule_version: 1, lineage: rule.lineage, model_id: plan.model_id, dry_run: core.dry_run, m,
    alpha_m_pico: level, clauses, verdict, provisional: ledger === null, retire: rule.retire,
    measured_bps: bps(core.delta_one.millionths), payable_bps: payable,
    candidate_file_sha256: body.candidate_file_sha256, training_root: plan.content_roots.merged,
  };
  for (const field of new Set([...Object.keys(expected), ...Object.keys(body)]))
    check(Object.hasOwn(body, field) && Object.hasOwn(expected, field)
      && same(expected[field], body[field]), `decision.json: body.${field} does not follow.`);
  check(m > 0 && payable >= 0 && rule.version === 1 && same(more, {}), "decision.json: its form.");
  const said = `The verdict ${verdict} follows, guards and payable_bps being what they say.`;
  return [core.dry_run ? "dry run" : ledger === null ? "provisional" : "in part", said];
}

function checkPlan({ core, plan, planDigest, ...bundle }) {
  check(core.core_version === 2 && plan.plan_version === 1, "Core or plan: another version.");
  check(core.plan_digest === planDigest, "core.plan_digest is not that of public/plan.json.");
  for (const field of ["dry_run", "model_id", "task_digest", "content_roots", "paid_root",
    "nonce_sha256", "key_ids"])
    check(same(core[field], plan[field]), `core.${field} is not the plan's.`);
  const { rule, number_of_seeds: number } = plan;
  check(core.lineage === rule.lineage && typeof core.dry_run === "boolean", "core.lineage");
  check(rule.number_of_seeds === number && core.seeds.length === number
    && core.joint_counts.length === number, "core.seeds or joint_counts: number.");
  const seed = (_, i) => sha256(Buffer.from(planDigest, "hex"), Buffer.from([0, 0, i >> 8, i]));
  check(plan.nonce_sha256 !== null || same(core.seeds, core.seeds.map(seed)
    .map((digest) => digest.readUInt32BE(0))), "core.seeds do not follow from the plan.");
  const received = core.content_roots.contributions.map((roots) => roots.received);
  check(received.length && same(core.contributors.map((who) => who.content_root), received)
    && core.counts.length === received.length, "core.contributors or counts: other contributions.");
  const name = `deltaone/nullifier/v1\x00${core.model_id}\x00${core.lineage}\x00`;
  check(same(core.nullifiers, received.map((root) => hex(name, Buffer.from(root, "hex")))),
    "core.nullifiers do not follow.");
  const weights = core.contributors.map((who) => who.weight_bps);
  check(weights.every((w) => w === null) || (sum(weights) === 1e4 && weights.every((w) => w >= 0)),
    "core.contributors: weight_bps do not add up to 10,000.");
  const file = plan.baseline === "trained" ? null : plan.baseline.file_sha256;
  check(same(core.baseline, { origin: file === null ? "trained" : "stored", file_sha256: file }),
    "core.baseline is not the plan's.");
  check(file === null || same(modelDigests(bundle, "baseline"), [file]), "core.baseline's file.");
  for (const { read: all, ...parts } of core.counts)
    check(sum(Object.values(parts)) === int(all) && Object.values(parts).every((v) => v >= 0),
      "core.counts do not add up to the rows read.");
  const { rows, labels, target_scale: scale } = core.benchmark;
  const numbers = scale !== undefined;
  check(numbers === (labels.length === 0), "core.benchmark has labels or a target_scale.");
  check(!numbers || core.joint_counts.every((table) => table.length === 0),
    "core.joint_counts are of labels, and numbers are predicted.");
  const counted = numbers ? []
    : core.joint_counts.map((table) => sum(table.map((cell) => cell[3])));
  check([core.rows.count, ...counted].every((number) => number === rows),
    "core.benchmark.rows is not the number that rows and joint_counts have.");
  check(hex(canonical(core.model_configuration)) === core.model_configuration_digest,
    "core.model_configuration_digest does not follow.");
  return ["holds", `The core follows the plan${plan.nonce_sha256 ? ", its seeds a nonce" : ""}.`];
}

function checkMint({ files, coreDigest }) {
  const names = [...files.keys()].filter((name) => name.startsWith("public/mint/"));
  for (const name of names)
    check(name === `public/mint/${hex(files.get(name))}.json`
      && parse(files.get(name), name).core_digest === coreDigest, `${name}: its name or core.`);
  return names.length ? ["in part", "Names and core digests are right."] : ["not asked", "None."];
}

/** What holds of the bundle in `folder`; `keys` are as `readKey` gives them, and all must sign. */
export function verify(folder, keys = []) {
  const found = new Map();
  let bundle;
  const take = (name, look) => {
    if ([...found.values()].some((step) => step.verdict === "fails"))
      return found.set(name, { name, verdict: "not reached", sentence: "After what failed." });
    try {
      const [verdict, sentence] = look(bundle, keys);
      return found.set(name, { name, verdict, sentence });
    } catch (error) { // a stranger's files may hold anything: a wrong type is a check that fails
      const malformed = `A field is missing or of another type (${error.name}).`;
      const sentence = error instanceof Fault ? error.message : malformed;
      return found.set(name, { name, verdict: "fails", sentence });
    }
  };
  take("form", () => { bundle = read(folder); return ["holds", "Records are canonical JSON."]; });
  take("files", checkFiles);
  take("signatures", checkSignatures);
  take("rows", checkRows);
  take("numbers", checkNumbers);
  take("decision", checkDecision);
  take("plan", checkPlan);
  for (const name of ["ledger", "order", "replay"]) take(name, () => ["not asked", "No ledger."]);
  take("mint", checkMint);
  const steps = STEPS.map((name) => found.get(name));
  const has = (...verdicts) => steps.some((step) => verdicts.includes(step.verdict));
  const exit_code = has("fails") ? 1 : has("unsigned", "provisional", "dry run") ? 3 : 0;
  const core_digest = bundle?.coreDigest ?? null;
  return { bundle: folder, core_digest, exit_code, outcome: OUTCOMES[exit_code], steps };
}

function main() {
  try {
    const options = { key: { type: "string", multiple: true }, json: { type: "boolean" } };
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (positionals.length !== 1) throw new Error("name one bundle.");
    readdirSync(positionals[0]);
    const found = verify(positionals[0], (values.key ?? []).map(readKey));
    const lines = found.steps.map(({ name, verdict, sentence }) =>
      `${name.padEnd(10)} ${verdict.padEnd(11)} ${sentence}`);
    const text = [...lines, `Core  ${found.core_digest}`, found.outcome].join("\n");
    process.stdout.write(`${values.json ? JSON.stringify(found, null, 2) : text}\n`);
    return found.exit_code;
  } catch (error) {
    process.stderr.write(`verify.mjs: ${error.message}\n`
      + "Use: node verify.mjs BUNDLE [--key PUB.pem]... [--json]\n");
    return 2;
  }
}

const started = process.argv[1];
if (started && existsSync(started) && realpathSync(started) === fileURLToPath(import.meta.url))
  process.exitCode = main();
