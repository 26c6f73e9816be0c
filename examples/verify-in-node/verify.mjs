// A second verifier of bundles, written from docs/attestation_format.md alone: node 20 and nothing
// else. It checks digests, canonical form, the statement in DSSE with its Ed25519 signature, leaves
// and their root, joint counts, accuracy with its exact McNemar p, and the clauses these decide.
// All else it takes as it stands, and says so (NOT_CHECKED): that is `hokusai verify`'s to check.
import { createPublicKey, verify as verifySignature } from "node:crypto";
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Fault, HASH, canonical, check, hex, int, parse, same, sum } from "./canonical.mjs";
import { LEAVES, checkNumbers, checkRows, linesOf, rounded } from "./rows.mjs";

const NOT_CHECKED =
  "metrics but accuracy (none of predicted numbers), errors, intervals, DeltaOne, guards, " +
  "payable_bps, seeds, nullifiers, cleaning, Sigstore's form of signatures, test results, " +
  "models, mint requests, ledgers";
const VALID = "Valid, as far as this verifier looks.";
const TYPE = "application/vnd.in-toto+json";
const SIGNED = /^public\/signatures\/([0-9a-f]{64})\.dsse\.json$/;
const ADDED = /^public\/(signatures\/[0-9a-f]{64}\.[a-z.-]+|mint\/[0-9a-f]{64})\.json$/;

// All files by their path inside the bundle, the four records, and these records' digests.
function read(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = path.slice(join(folder, sep).length).split(sep).join("/");
    check(entry.isFile() || entry.isDirectory(), `${name} is neither file nor folder.`);
    if (entry.isFile()) files.set(name, readFileSync(path));
  }
  const record = (name) => parse(files.get(`public/${name}.json`), `public/${name}.json`);
  const [core, plan, decision, manifest] = ["core", "plan", "decision", "manifest"].map(record);
  return { files, core, plan, decision, manifest };
}

const digestOf = ({ files }, name) => hex(files.get(`public/${name}.json`));

function checkFiles({ files, manifest }) {
  const named = manifest.files;
  check(same(manifest, { files: named, manifest_version: 1 }), "The manifest: another version.");
  const own = ["public/manifest.json", "run.json"]; // which it cannot cover
  const must = ["core", "plan", "decision"].map((name) => `public/${name}.json`);
  const isNamed = (name) => Object.hasOwn(named, name);
  check(must.every(isNamed) && !own.some(isNamed), "The manifest names other files than it must.");
  const opened = [...files.keys()].some((name) => name.startsWith("audit/"));
  for (const [name, digest] of Object.entries(named)) {
    check(HASH.test(digest), `The manifest: ${name} has no digest.`);
    if (!opened && name.startsWith("audit/")) continue;
    check(files.has(name) && hex(files.get(name)) === digest, `${name} is missing or was changed.`);
  }
  const isKnown = (name) => isNamed(name) || own.includes(name) || ADDED.test(name);
  check([...files.keys()].every(isKnown), "A file is there that is no file of a bundle.");
  for (const name of files.keys())
    if (name.startsWith("public/mint/"))
      check(name === `public/mint/${hex(files.get(name))}.json`, `${name} is not named by itself.`);
}

export function readKey(path) {
  const pem = readFileSync(path, "latin1");
  const key = pem.startsWith("-----BEGIN PUBLIC KEY-----") ? createPublicKey(pem) : {};
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`${path} is no Ed25519 public key.`);
  return { key, id: hex(key.export({ type: "spki", format: "der" })) };
}

function statement(bundle) {
  const { dry_run, verdict, provisional, payable_bps } = bundle.decision.body;
  const digests = { core_digest: digestOf(bundle, "core"), plan_digest: digestOf(bundle, "plan") };
  const subject = (name) => ({ name: `${name}.json`, digest: { sha256: digestOf(bundle, name) } });
  return canonical({
    _type: "https://in-toto.io/Statement/v1",
    subject: ["core", "decision", "manifest"].map(subject),
    predicateType: "urn:hokusai-assets:attestation:v1",
    predicate: { ...digests, dry_run, verdict, provisional, payable_bps },
  });
}

// How many of `keys` signed; a signature that does not hold is a fault, whoever's it is.
function checkSignatures(bundle, keys) {
  let count = 0;
  for (const name of bundle.files.keys()) {
    const [, id] = SIGNED.exec(name) ?? [];
    if (!id) continue;
    const envelope = parse(bundle.files.get(name), name);
    const { payload, signatures } = envelope;
    const { sig } = signatures[0];
    const form = { payload, payloadType: TYPE, signatures: [{ keyid: id, sig }] };
    check(same(envelope, form), `${name} is no envelope of this kind.`);
    const [signed, signature] = [payload, sig].map((text) => Buffer.from(text, "base64"));
    const again = [signed, signature].map((bytes) => bytes.toString("base64"));
    check(same(again, [payload, sig]) && signature.length === 64, `${name}: base64 or length.`);
    const known = keys.find((key) => key.id === id);
    const head = Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${signed.length} `);
    const holds = () => verifySignature(null, Buffer.concat([head, signed]), known.key, signature);
    check(!known || holds(), `${name}: not by this key, or what it signs was changed.`);
    check(signed.toString() === statement(bundle), `${name} signs other files.`);
    count += known ? 1 : 0;
  }
  return count;
}

function levelPico(rule, m) {
  const [block, pi] = [int(rule.attempts_per_benchmark), 314159265358979323846264338327950288n];
  const share = 6n * BigInt(int(rule.familywise_alpha_pico)) * 10n ** 70n;
  return Number(share / (pi * pi * BigInt(Math.ceil(m / block)) ** 2n * BigInt(block)));
}

// The first four clauses, as they follow from the core's numbers.
function clausesOf(core, rule, m, level) {
  const total = (name) => sum(core.counts.map((counts) => counts[name]));
  const [leaked_rows, rows] = [total("leaked"), core.benchmark.rows];
  const distinct_rows = leaked_rows + total("kept");
  const benchmark_rows_in_training = core.benchmark.rows_left_in_training;
  const { max_leaked_share_millionths, min_benchmark_rows, min_delta_bps, primary } = rule;
  const within = leaked_rows * 1e6 <= int(max_leaked_share_millionths) * distinct_rows;
  const clean = int(benchmark_rows_in_training) === 0 && distinct_rows > 0 && within;
  const data = {
    benchmark_rows_in_training,
    leaked_rows,
    distinct_rows,
    max_leaked_share_millionths,
  };

  const { baseline_millionths, candidate_millionths, p_value_pico } = core.metrics[primary];
  const bps = [baseline_millionths, candidate_millionths].map((v) => v && rounded(v, 100));
  const [baseline_bps, candidate_bps] = bps;
  const [known, isLoss] = [!bps.includes(null), rule.lower_is_better?.includes(primary)];
  const gain = (candidate_bps - baseline_bps) * (isLoss ? -1 : 1);
  const delta_bps = known ? candidate_bps - baseline_bps : null;
  const both = known ? { baseline_bps, candidate_bps } : {};
  const threshold = { primary, min_delta_bps, delta_bps, ...both };
  if (known && isLoss) threshold.improvement_bps = gain;

  const ps = [p_value_pico, core.delta_one.p_value_pico];
  const p_pico = ps.includes(null) ? null : Math.max(...ps.map(int));
  const evidence = {
    attempt: m,
    alpha_pico: level,
    primary_p_pico: ps[0],
    delta_one_p_pico: ps[1],
  };
  evidence.primary_test = rule.tests[primary];
  evidence.delta_one_test = rule.tests.delta_one;
  if (p_pico !== null) evidence.p_pico = p_pico;
  return [
    { name: "data", holds: clean, numbers: data },
    {
      name: "rows",
      holds: int(rows) >= int(min_benchmark_rows),
      numbers: { rows, min_benchmark_rows },
    },
    { name: "threshold", holds: known && gain >= int(min_delta_bps), numbers: threshold },
    { name: "evidence", holds: p_pico !== null && p_pico <= level, numbers: evidence },
  ];
}

function checkDecision(bundle) {
  const { core, plan, decision } = bundle;
  const { body, ledger } = decision;
  const planDigest = digestOf(bundle, "plan");
  const named = [body.core_digest, body.plan_digest, core.plan_digest];
  check(same(named, [digestOf(bundle, "core"), planDigest, planDigest]), "Another core or plan.");
  const versions = [core.core_version, plan.plan_version, plan.rule.version, body.decision_version];
  check(same(versions, [2, 1, 1, 1]), "Core, plan, rule or decision are of another version.");
  for (const field of ["dry_run", "model_id", "task_digest", "content_roots", "paid_root"])
    check(same(core[field], plan[field]), `core.${field} is not the plan's.`);
  const level = levelPico(plan.rule, int(body.m));
  check(body.m > 0 && body.alpha_m_pico === level, "body.alpha_m_pico is not the attempt's.");
  const [guards, current] = body.clauses.slice(4); // these files do not decide them alone
  const given = ledger === null ? ["guards"] : ["guards", "current"];
  const isGiven = ({ name, holds }, i) => name === given[i] && typeof holds === "boolean";
  check(body.clauses.length === 4 + given.length, "body.clauses are other clauses.");
  check(body.clauses.slice(4).every(isGiven), "body.clauses: guards or current.");
  const counted = clausesOf(core, plan.rule, body.m, level);
  check(same(body.clauses.slice(0, 4), counted), "body.clauses do not follow from core and plan.");
  const good = [...counted, guards].every(({ holds }) => holds);
  const verdict = !good ? "rejected" : current?.holds === false ? "superseded" : "accepted";
  const follow = [verdict, ledger === null, core.dry_run, plan.content_roots.merged];
  const found = [body.verdict, body.provisional, body.dry_run, body.training_root];
  check(same(found, follow), "body: verdict, provisional, dry_run or training_root.");
  const paid = int(body.payable_bps);
  check(verdict === "accepted" ? paid >= 0 : paid === 0, "body.payable_bps without an acceptance.");
}

/** What holds of the bundle in `folder`; `keys` are as `readKey` gives them, and all must sign. */
export function verify(folder, keys = []) {
  const said = [];
  let [exit_code, core_digest] = [1, null];
  try {
    const bundle = read(folder);
    core_digest = digestOf(bundle, "core");
    checkFiles(bundle);
    const signed = checkSignatures(bundle, keys);
    said.push(`${bundle.files.size} files have their digests; ${signed} given keys signed.`);
    const packed = bundle.files.get(LEAVES);
    if (packed) checkRows(bundle, linesOf(packed));
    checkNumbers(bundle);
    said.push(`Rows ${packed ? "have the core's root and counts" : "are not opened"}.`);
    checkDecision(bundle);
    const { verdict, provisional, dry_run } = bundle.decision.body;
    said.push(`The verdict ${verdict} follows.`, `Not checked: ${NOT_CHECKED}.`);
    const binding = keys.length > 0 && signed === keys.length && !provisional && !dry_run;
    exit_code = binding ? 0 : 3;
    said.push(binding ? VALID : "Intact, but it binds nobody: unsigned, provisional or a dry run.");
  } catch (error) {
    // A stranger's files may hold anything: a wrong type is a check that fails.
    const fault =
      error instanceof Fault ? error.message : `A field has another type: ${error.name}.`;
    said.push(fault, "Not valid: something was changed, or does not follow.");
  }
  return { bundle: folder, core_digest, exit_code, said };
}

function main() {
  try {
    const options = { key: { type: "string", multiple: true }, json: { type: "boolean" } };
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (positionals.length !== 1) throw new Error("name one bundle.");
    readdirSync(positionals[0]);
    const found = verify(positionals[0], (values.key ?? []).map(readKey));
    console.log(values.json ? JSON.stringify(found, null, 2) : found.said.join("\n"));
    return found.exit_code;
  } catch (error) {
    console.error(`${error.message}\nUse: node verify.mjs BUNDLE [--key PUB.pem]... [--json]`);
    return 2;
  }
}

const started = process.argv[1];
if (started && existsSync(started) && realpathSync(started) === fileURLToPath(import.meta.url))
  process.exitCode = main();
