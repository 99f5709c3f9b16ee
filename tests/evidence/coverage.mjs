// What the tests ran of the code that decides: coverage.mjs [--json FILE] [--list]
//
// Asks gcov for each object below OUT. A line that no test ran must be in `uncovered`, by its file,
// function and text, with the reason; one that nothing needs any more is told. --list prints the lines that
// would have to be added, and the branches that were never taken.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const out = process.env.OUT ?? 'build/coverage';
const reasonsFile = 'tests/evidence/uncovered';

/** What is measured. @type {Record<string, RegExp>} */
const groups = {
	keeper: /^gateway\/(keeper|registry)[a-z_]*\.c$/,
	login: /^gateway\/(login|pairing)\.c$/,
	grant: /^gateway\/store[a-z_]*\.c$/,
	seal: /^gateway\/(epoch|sframe|hpke|keys[a-z_]*)\.c$/,
	session: /^web\/(session|stream|buffer)\.c$/,
};

/** Tests that include a source to see its inside run another copy of it. @param {string} source */
function objectsOf(source) {
	const including = fs.readdirSync('tests/unit').filter((f) => f.endsWith('.c') &&
		new RegExp(`#include "[a-z/]*\\b${path.basename(source)}"`).test(
			fs.readFileSync(`tests/unit/${f}`, 'utf8')));
	return [source, ...including.map((f) => `tests/unit/${f}`)];
}

/** @param {string} object @param {string} source @returns {any[]} its lines, as gcov tells them */
function gcov(object, source) {
	const notes = path.join(out, object.replace(/\.c$/, '.gcno'));
	const r = spawnSync('gcov', ['--json-format', '--stdout', '--branch-probabilities', notes],
		{ encoding: 'utf8', maxBuffer: 1 << 28 });
	if (r.status !== 0) {
		throw new Error(`gcov ${notes}: ${r.stderr || r.error}`);
	}
	const file = JSON.parse(r.stdout.trim().split('\n')[0] ?? '{}').files
		?.find((/** @type {any} */ f) => path.normalize(f.file).endsWith(source));
	return file?.lines ?? [];
}

/** @param {string} source @returns {any[]} */
function measure(source) {
	const [own, ...copies] = objectsOf(source).map((object) => gcov(object, source));
	const more = new Map(copies.flat().map((line) => [line.line_number, line]));
	for (const line of own) {
		const other = more.get(line.line_number);
		line.count += other?.count ?? 0;
		if (other?.branches.length === line.branches.length) {
			line.branches.forEach((/** @type {any} */ b, /** @type {number} */ i) => {
				b.count += other.branches[i].count;
			});
		}
	}
	return own;
}

/** "file | function | text | reason", # for remarks. */
function readReasons() {
	const reasons = new Map();
	for (const line of fs.readFileSync(reasonsFile, 'utf8').split('\n')) {
		const fields = line.split(' ¦ ');
		if (line.startsWith('#') || line.trim() === '') {
			continue;
		}
		if (fields.length !== 4 || fields[3].trim() === '') {
			throw new Error(`${reasonsFile}: no file ¦ function ¦ text ¦ reason: ${line}`);
		}
		reasons.set(fields.slice(0, 3).join(' ¦ '), { reason: fields[3], needed: false });
	}
	return reasons;
}

/** @param {string} source @param {Map<string, any>} reasons */
function judge(source, reasons) {
	const text = fs.readFileSync(source, 'utf8').split('\n');
	const sums = { source, lines: 0, run: 0, explained: 0, owed: 0, branches: 0, taken: 0 };
	/** @type {string[]} */
	const bare = [];
	/** @type {string[]} */
	const branches = [];
	for (const line of measure(source)) {
		const words = text[line.line_number - 1]?.trim() ?? '';
		const key = `${source} ¦ ${line.function_name ?? ''} ¦ ${words}`;
		sums.lines++;
		sums.branches += line.branches.length;
		const missed = line.branches.filter((/** @type {any} */ b) => b.count === 0).length;
		sums.taken += line.branches.length - missed;
		if (line.count > 0) {
			sums.run++;
			if (missed > 0) {
				branches.push(`${key} ¦ ${missed} of ${line.branches.length}`);
			}
			continue;
		}
		const known = reasons.get(key);
		if (known === undefined) {
			bare.push(key);
		} else {
			known.needed = true;
			sums.explained++;
			sums.owed += known.reason === 'no test yet' ? 1 : 0;
		}
	}
	return { ...sums, bare, untaken: branches };
}

const reasons = readReasons();
const list = process.argv.includes('--list');
const json = process.argv.indexOf('--json') + 1;
/** @type {Record<string, any>} */
const all = {};
let bad = 0;
for (const [name, pattern] of Object.entries(groups)) {
	const sources = ['gateway', 'web'].flatMap((room) => fs.readdirSync(room).map((f) => `${room}/${f}`))
		.filter((f) => pattern.test(f)).sort();
	const files = sources.map((f) => judge(f, reasons));
	/** @param {string} what */
	const add = (what) => files.reduce((n, f) => n + /** @type {any} */ (f)[what], 0);
	const total = { lines: add('lines'), run: add('run'), explained: add('explained'), owed: add('owed'),
		branches: add('branches'), taken: add('taken') };
	all[name] = { ...total, files };
	console.log(`${name.padEnd(8)} ${String(total.run).padStart(5)} of ${String(total.lines).padStart(5)} lines ` +
		`(${(100 * total.run / total.lines).toFixed(1)} %), ${total.explained - total.owed} not run for a reason, ` +
		`${total.owed} with no test yet, ` +
		`${total.lines - total.run - total.explained} not in the list; ` +
		`${(100 * total.taken / total.branches).toFixed(1)} % of ${total.branches} branches`);
	for (const line of files.flatMap((f) => f.bare)) {
		console.log(list ? `${line} ¦ ` : `  no test runs: ${line}`);
		bad++;
	}
	if (list) {
		files.flatMap((f) => f.untaken).forEach((b) => console.log(`# branches: ${b}`));
	}
}
for (const [key, known] of reasons) {
	if (!known.needed) {
		console.log(`  needs no reason any more: ${key}`);
	}
}
if (json > 0) {
	fs.writeFileSync(process.argv[json], `${JSON.stringify(all, null, '\t')}\n`);
}
console.log(`# ${bad} lines that no test runs and that are not in ${reasonsFile}`);
process.exit(bad > 0 ? 1 : 0);
