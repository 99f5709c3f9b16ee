// The parts of the evidence. Each runs something real and returns figures.
import fs from 'node:fs';
import path from 'node:path';

import { dir, make, number, out, quick, readJson, readTally, run, sum } from './run.mjs';

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {number | string | object} value
 * @property {string} [text] how the value reads; its own form otherwise
 * @property {string} [bound] what has to hold
 * @property {boolean} [ok] whether it holds; undefined: nothing has to
 * @property {string} [skipped] why it could not be measured here
 */

/** @param {string} name @param {number} n @returns {Figure} */
const none = (name, n) => ({ name, value: n, bound: '0', ok: n === 0 });
/** @param {string} name @param {number} n @returns {Figure} */
const some = (name, n) => ({ name, value: n, bound: '> 0', ok: n > 0 });
/** @param {string} name @param {{code: number, log: string}} r @returns {Figure} */
const passed = (name, r) => ({
	name, value: r.code, text: r.code === 0 ? 'passed' : `FAILED: ${r.log}`, bound: 'passes', ok: r.code === 0,
});

/** @param {{p50: number, p99: number, max: number}} s */
const spread = (s) => `p50 ${number(s.p50)}, p99 ${number(s.p99)}, max ${number(s.max)} ms`;

// ---- revokes ----

/**
 * @param {string} name
 * @param {string} where
 * @param {string[]} words
 * @param {(m: any) => Figure[]} bounds
 * @returns {Promise<Figure[]>}
 */
async function revokes(name, where, words, bounds) {
	const json = path.join(dir, `${name}.json`);
	fs.rmSync(json, { force: true });
	const r = await run(name, [path.join(out, 'tests/evidence/revoke_times'), '--json', json, ...words],
		{ TALLY: path.join(dir, 'tally') });
	const m = readJson(json);
	if (r.code === 77) {
		return [{ name: `revokes ${where}`, value: 0, skipped: r.text.trim() }];
	}
	if (m === undefined) {
		return [passed(`revokes ${where}`, r)];
	}
	return [
		{ name: `revokes ${where}`, value: m,
			text: `${m.revokes}, with ${m.watching_besides} others watching` },
		{ name: '  waits for a web role that was ended', value: m.waits_for_a_web_role },
		...bounds(m),
		{ name: '  bytes that arrived after the cut', value: m.bytes_after_the_cut },
		{ name: '  pictures opened after the cut', value: m.pictures_opened_after_the_cut,
			text: `${m.pictures_opened_after_the_cut} that were under way` },
		none('  pictures captured after the commit, opened', m.pictures_captured_after_the_commit),
	];
}

const revokeLoopback = () => revokes('revoke-loopback', 'on loopback',
	['--count', quick ? '40' : '200', '--load', '8'], (m) => [
		{ name: '  commit to cut, as the keeper says', value: m.commit_to_cut_ms,
			text: spread(m.commit_to_cut_ms), bound: 'p99 < 250 ms', ok: m.commit_to_cut_ms.p99 < 250 },
		{ name: '  asked to dark, at the display', value: m.asked_to_dark_ms,
			text: spread(m.asked_to_dark_ms) },
	]);

const revokeBadLink = () => revokes('revoke-bad-link', 'at 2 Mbit/s, 300 ms, 5 % loss',
	['--bad-link', '--count', quick ? '15' : '50', '--load', '2'], (m) => [
		{ name: '  asked to dark, at the display', value: m.asked_to_dark_ms,
			text: spread(m.asked_to_dark_ms), bound: 'p99 < 1 s', ok: m.asked_to_dark_ms.p99 < 1000 },
		{ name: '  packets lost', value: m.network.packets_lost,
			text: `${m.network.packets_lost} of ${number(m.network.packets_carried)}` },
	]);

// ---- what the oracles see ----

async function oracles() {
	const tally = path.join(dir, 'tally');
	const r = await make('integration', ['integration'], { TALLY: tally });
	const sums = readTally(tally);
	const n = (/** @type {string} */ what) => sums.get(what) ?? 0;
	return [
		passed('integration tests, oracles on', r),
		some('frames delivered and drawn', n('pictures')),
		none('  foreign pictures drawn', n('foreign')),
		none('  mixed or broken pictures drawn', n('mixed')),
		none('  LIVE violations', n('stale')),
		none('  in the clear on the wire', n('in_the_clear')),
		none('  mix-ups that no test injected', n('mix_ups') - n('mix_ups_injected')),
		some('  mix-ups injected, all noticed', n('mix_ups_injected')),
		...(n('canaries_planted_found') === 0
			? [{ name: 'canary bytes in the roles', value: 0, skipped: 'their memory is for root to read' }]
			: [
				some('canaries found where they were planted', n('canaries_planted_found')),
				none('  in the web role', n('canaries_in_web')),
				none('  in the keeper', n('canaries_in_keeper')),
			]),
	];
}

/** As many displays at one hub as a short run carries. */
async function load() {
	const json = path.join(out, 'load.json');
	fs.rmSync(json, { force: true });
	const r = await make('load', ['load', ...(quick ? ['VIEWERS=100'] : [])]);
	const m = readJson(json);
	if (r.code !== 0 || m === undefined) {
		return [passed('many viewers at one hub', r)];
	}
	return [
		some('viewers held', m.viewers),
		none('  foreign pictures drawn', m.foreign),
		{ name: '  until all are live', value: m.all_live_s, text: `${number(m.all_live_s)} s` },
		{ name: '  and again, after the web role was killed', value: m.web_killed_all_live_s,
			text: `${number(m.web_killed_all_live_s)} s` },
		{ name: '  pictures drawn', value: m.pictures,
			text: `${number(m.pictures)}, ${number(m.pictures_per_s)} a second` },
		{ name: '  memory', value: { web_mib: m.web_mib, keeper_mib: m.keeper_mib },
			text: `web ${number(m.web_mib)} MiB, keeper ${number(m.keeper_mib)} MiB` },
	];
}

/** What is not live is never called live, in a browser: the oracle of its tests. */
async function browser() {
	if (!fs.existsSync('tests/browser/node_modules')) {
		return [{ name: 'pictures painted as LIVE in a browser', value: 0,
			skipped: 'tests/browser/node_modules is not there: make browser' }];
	}
	const r = await run('browser', ['node', '--test', '--test-reporter=tap',
		'tests/browser/freshness.test.mjs'], { CAMGATE: path.resolve(out, 'camgate') });
	return [
		passed('what stands still, in a browser', r),
		some('pictures painted as LIVE in a browser', sum(r.text, /O-FRESH: (\d+) pictures painted/g)),
		none('  LIVE violations', sum(r.text, /LIVE violations (\d+)/g)),
	];
}

async function incidents() {
	const r = await make('incidents', ['incidents']);
	const all = readJson(path.join(out, 'incidents.json'));
	if (all === undefined) {
		return [passed('incidents', r)];
	}
	const seen = all.incidents.filter((/** @type {any} */ i) => i.lifted?.ok);
	return [
		{ name: 'accidents of other products', value: all.incidents.length, bound: '>= 13',
			ok: all.incidents.length >= 13 },
		{ name: '  seen when protections are lifted', value: seen.length, bound: 'all',
			ok: seen.length === all.incidents.length },
		none('  not stopped, or not told, as shipped', all.missed),
		...all.incidents.map((/** @type {any} */ i) => ({
			name: `  ${i.name}`, value: i, text: `seen by ${i.oracle}; ${i.place}`, bound: 'seen, stopped',
			ok: i.ok && i.lifted?.ok === true && i.shipped?.ok === true,
		})),
	];
}

// ---- simulation, faults, fuzzing ----

async function simulation() {
	const program = path.join(out, 'tests/simulation/simulate');
	const total = await run('simulation', [program, '--total', quick ? '1e5' : '1e6', '--seed', String(Date.now())]);
	const hungry = await run('simulation-allocations',
		[program, '--allocations', '20', '--total', quick ? '1e4' : '1e5', '--seed', String(Date.now())]);
	const text = total.text + hungry.text;
	return [
		passed('simulation, seeds never tried before', { ...total, code: total.code || hungry.code }),
		some('simulated deliveries', sum(text, /^simulated (\d+) deliveries/gm)),
		some('  revokes', sum(text, /: (\d+) revokes/g)),
		some('  faults injected into the simulation', sum(text, /(\d+) writes and/g) + sum(text, /and (\d+) allocations/g)),
	];
}

async function faults() {
	const keeper = await run('faults', [path.join(out, 'tests/unit/test_keeper_faults')],
		{ FAULTS: quick ? '' : 'all' });
	const seal = await run('faults-seal', [path.join(out, 'tests/unit/test_seal_faults')]);
	return [passed('writes and allocations that fail under the keeper', keeper),
		some('  writes and allocations that failed', sum(keeper.text, /(\d+) faults injected/g)),
		passed('allocations that fail under seals and keys', seal),
		some('  allocations that failed', sum(seal.text, /(\d+) faults injected/g))];
}

/** Calls that fail while rights change, in the store and in the roles as they are shipped. */
async function processFaults() {
	const r = await make('process-faults', ['faults-suite']);
	return [passed('calls that fail, in modules and in the real processes', r),
		some('  faults injected', sum(r.text, /in total +(\d+) faults injected/g))];
}

async function fuzzing() {
	const r = await make('fuzz', ['fuzz', `SECONDS=${quick ? 3 : 20}`]);
	return [
		passed('fuzzing', r),
		some('fuzz harnesses', [...r.text.matchAll(/^ {2}ok /gm)].length),
		some('fuzz executions', sum(r.text, /^ {2}ok .* (\d+) executions$/gm)),
	];
}

// ---- sanitizers ----

/** @param {string} which @param {string[]} suites */
async function sanitized(which, suites) {
	const results = path.join(dir, `results-${which.replace(',', '-')}`);
	fs.rmSync(results, { recursive: true, force: true });
	const r = await make(`sanitizer-${which.replace(',', '-')}`,
		[`SANITIZE=${which}`, `RESULTS=${results}`, 'TIMEOUT=600', 'fakecam', 'all', ...suites]);
	const logs = fs.existsSync(results) ? fs.readdirSync(results) : [];
	const findings = logs.map((f) => fs.readFileSync(path.join(results, f), 'utf8')).join('\n')
		.match(/ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:/g) ?? [];
	return [
		passed(`${suites.join(' and ')} tests under ${which}`, r),
		{ ...none('  sanitizer findings', findings.length), text: `${findings.length} in ${logs.length} programs` },
	];
}

async function mutants() {
	const r = await make('mutants', ['mutants']);
	const all = readJson(path.join(out, 'mutants.json'));
	if (r.code > 2 || all === undefined) {
		return [passed('promises broken by hand', r)];
	}
	const seen = all.filter((/** @type {any} */ m) => m.verdict === 'seen');
	return [
		{ name: 'promises broken by hand', value: all, text: number(all.length), bound: 'I1 to I15',
			ok: new Set(all.map((/** @type {any} */ m) => m.promise)).size === 15 },
		{ name: '  that the test named for it sees', value: seen.length, bound: 'all',
			ok: seen.length === all.length },
	];
}

async function coverage() {
	const r = await make('coverage', ['coverage']);
	const all = readJson(path.join(out, 'coverage.json'));
	if (all === undefined) {
		return [passed('coverage', r)];
	}
	/** @type {Figure[]} */
	const figures = Object.entries(all).map(([group, g]) => ({
		name: `lines run: ${group}`, value: { ...g, files: undefined },
		text: `${number(100 * g.run / g.lines)} % of ${g.lines}; branches taken: ` +
			`${number(100 * g.taken / g.branches)} % of ${g.branches}`,
	}));
	/** @param {string} found those, and the ones with a reason among them */
	const why = (found) => {
		const those = Object.values(all).flatMap((g) => g.files.flatMap((/** @type {any} */ f) => f[found]));
		return { sum: those.reduce((n, f) => n + f.missed, 0), bare: those.filter((f) => !f.reason).length };
	};
	const [lines, ways] = [why('not_run'), why('not_taken')];
	return [...figures,
		{ ...none('  lines not run, without a reason', lines.bare),
			text: `${lines.bare} of ${lines.sum} (tests/evidence/uncovered)` },
		{ ...none('  branches not taken, without a reason', ways.bare),
			text: `${ways.bare} of ${ways.sum} (tests/evidence/untaken)` }];
}

/** In the order in which they run. @type {Record<string, () => Promise<Figure[]>>} */
export const parts = {
	'revoke-loopback': revokeLoopback,
	'revoke-bad-link': revokeBadLink,
	oracles,
	load,
	browser,
	incidents,
	simulation,
	faults,
	'process-faults': processFaults,
	fuzzing,
	mutants,
	coverage,
	'address-sanitizer': () => sanitized('address,undefined', quick ? ['unit'] : ['unit', 'integration']),
	'thread-sanitizer': () => sanitized('thread', quick ? ['unit'] : ['unit', 'integration']),
};
