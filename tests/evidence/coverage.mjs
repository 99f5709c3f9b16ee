// What the tests ran of the code that decides: coverage.mjs [--json FILE] [--list]
//
// Asks gcov for each object below OUT. A line that no test ran must be in `uncovered`, by its file,
// function and text, with the reason; a condition that never went one of its ways must be in `untaken`, unless
// that way leads to a line of `uncovered`. Exit code 1 when something is in neither. --list prints what is
// explained, too.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { keyOf, Reasons } from './reasons.mjs';

const out = process.env.OUT ?? 'build/coverage';
const uncovered = new Reasons('tests/evidence/uncovered');
const untaken = new Reasons('tests/evidence/untaken');
const list = process.argv.includes('--list');

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

/** @typedef {{key: string, missed: number, reason: string | undefined}} Found */

/** What was not run of a file. @param {string} source */
function judge(source) {
	const text = fs.readFileSync(source, 'utf8').split('\n');
	const sums = { source, lines: 0, run: 0, explained: 0, branches: 0, taken: 0, branches_explained: 0 };
	/** @type {Found[]} */
	const lines = [];
	/** @type {Found[]} */
	const branches = [];
	const measured = measure(source).sort((a, b) => a.line_number - b.line_number).map((line) => ({
		...line,
		key: keyOf(source, line.function_name ?? '', text[line.line_number - 1]?.trim() ?? ''),
	}));
	const why = measured.map((line) => line.count > 0 ? undefined : uncovered.find(line.key));
	measured.forEach((line, i) => {
		const missed = line.branches.filter((/** @type {any} */ b) => b.count === 0).length;
		sums.lines++;
		sums.branches += line.branches.length;
		sums.taken += line.branches.length - missed;
		if (line.count === 0) {
			lines.push({ key: line.key, missed: 1, reason: why[i] });
			sums.explained += why[i] === undefined ? 0 : 1;
			sums.branches_explained += why[i] === undefined ? 0 : missed;
			return;
		}
		sums.run++;
		if (missed > 0) {
			const reason = why[i + 1] ?? untaken.find(line.key);
			branches.push({ key: line.key, missed, reason });
			sums.branches_explained += reason === undefined ? 0 : missed;
		}
	});
	return { ...sums, not_run: lines, not_taken: branches };
}

/** @param {string} name of the group @param {RegExp} pattern */
function judgeGroup(name, pattern) {
	const sources = ['gateway', 'web'].flatMap((room) => fs.readdirSync(room).map((f) => `${room}/${f}`))
		.filter((f) => pattern.test(f)).sort();
	const files = sources.map(judge);
	/** @param {string} what */
	const add = (what) => files.reduce((n, f) => n + /** @type {any} */ (f)[what], 0);
	const total = { lines: add('lines'), run: add('run'), explained: add('explained'),
		branches: add('branches'), taken: add('taken'), branches_explained: add('branches_explained') };
	/** @param {number} n @param {number} of */
	const share = (n, of) => `${n} of ${of} (${(100 * n / of).toFixed(1)} %)`;
	console.log(`${name.padEnd(8)} lines run ${share(total.run, total.lines)}, ` +
		`${total.explained} not for a reason; branches taken ${share(total.taken, total.branches)}, ` +
		`${total.branches_explained} not for a reason`);
	return { ...total, files };
}

/** @param {string} what @param {Found[]} found @returns {number} how many have no reason */
function tell(what, found) {
	/** @type {Map<string, number>} */
	const sums = new Map();
	for (const f of found) {
		if (f.reason === undefined || list) {
			console.log(`  ${f.reason === undefined ? `${what}, and nothing says why` : what}: ${f.key}` +
				`${f.missed > 1 ? ` (${f.missed})` : ''}${f.reason === undefined ? '' : ` == ${f.reason}`}`);
		}
		if (f.reason !== undefined) {
			sums.set(f.reason, (sums.get(f.reason) ?? 0) + f.missed);
		}
	}
	console.log(`# ${what}, by reason:`);
	for (const [reason, n] of [...sums].sort((a, b) => b[1] - a[1])) {
		console.log(`# ${String(n).padStart(5)}  ${reason}`);
	}
	return found.filter((f) => f.reason === undefined).length;
}

const json = process.argv.indexOf('--json') + 1;
const all = Object.fromEntries(Object.entries(groups).map(([name, pattern]) => [name, judgeGroup(name, pattern)]));
const files = Object.values(all).flatMap((g) => g.files);
const bad = tell('lines not run', files.flatMap((f) => f.not_run)) +
	tell('branches not taken', files.flatMap((f) => f.not_taken));
uncovered.tellUnneeded();
untaken.tellUnneeded();
if (json > 0) {
	fs.writeFileSync(process.argv[json], `${JSON.stringify(all, null, '\t')}\n`);
}
console.log(`# ${bad} lines and conditions without a reason`);
process.exit(bad > 0 ? 1 : 0);
