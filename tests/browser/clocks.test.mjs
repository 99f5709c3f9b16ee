/**
 * I7 in Chromium when clocks jump or stand still: the browser's, the hub's, the whole machine's.
 * O-FRESH (tests/oracles/fresh.mjs) looks on, by clocks of its own.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { boottimeAhead, watchFreshness } from '../oracles/fresh.mjs';
import { HOUR_MS, PATIENCE_MS, assertBlankFirst, aged, assertFresh, blank, live, moves, setVisibility,
	sleep, withFakeHub, withRealHub } from './fresh_page.mjs';
import { until } from './until.mjs';

/** The renderers of browsers that this test started. */
function renderers() {
	const read = (pid, name) => {
		try {
			return readFileSync(`/proc/${pid}/${name}`, 'latin1');
		} catch {
			return ''; /* gone meanwhile */
		}
	};
	const parent = (pid) => Number(/^PPid:\s*(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0);
	const isOurs = (pid) => pid > 1 && (pid === process.pid || isOurs(parent(pid)));
	return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
		.filter((pid) => read(pid, 'cmdline').includes('--type=renderer') && isOurs(pid));
}

/** The browser's processes stand still for a while, as in a sleeping machine. */
async function standStill(ms) {
	const pids = renderers();
	assert.ok(pids.length > 0);
	pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
	await sleep(ms);
	pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
}

/** Whenever the worker did not run for a second, an hour goes by. */
const sleepIsAnHour = (page, both) => page.workers()[0].evaluate(([hour, all]) => {
	const now = performance.now.bind(performance);
	const wall = Date.now.bind(Date);
	let skew = 0;
	let last = now();
	const skewed = () => {
		skew += now() - last > 1000 ? hour : 0;
		last = now();
		return skew;
	};
	performance.now = () => (all ? skewed() : 0) + now();
	Date.now = () => skewed() + wall();
	globalThis.slept = () => skew > 0;
}, [HOUR_MS, both]);

for (const [clocks, both] of [['both clocks go on', true], ['the monotonic clock stands still', false]]) {
	for (const state of ['visible', 'hidden']) {
		test(`a ${state} page that wakes an hour later, while ${clocks}, blanks first`, (t) =>
			withRealHub(async ({ page, fresh }) => {
				await sleepIsAnHour(page, both);
				await moves(fresh);
				if (state === 'hidden') {
					await setVisibility(page, 'hidden');
					await blank(fresh);
				}
				await standStill(2500);
				await until('it noticed', () => page.workers()[0].evaluate('slept()'), PATIENCE_MS);
				await setVisibility(page, 'visible');
				await live(page);
				await moves(fresh);
				await assertBlankFirst(t, fresh);
			}));
	}
}

/* ---- clocks that jump ---- */

test('clocks of the browser that jump, to and fro, make nothing old look new', (t) => withRealHub(
	async ({ page, fresh }) => {
		const [worker] = page.workers();
		await worker.evaluate(() => {
			const now = performance.now.bind(performance);
			const wall = Date.now.bind(Date);
			globalThis.skews = { now: 0, wall: 0 };
			performance.now = () => now() + globalThis.skews.now;
			Date.now = () => wall() + globalThis.skews.wall;
		});
		for (const skews of [{ now: 0, wall: HOUR_MS }, { now: 0, wall: -HOUR_MS },
			{ now: HOUR_MS, wall: HOUR_MS }, { now: HOUR_MS + 700, wall: 0 },
			{ now: 2 * HOUR_MS, wall: 0 }]) {
			await worker.evaluate((set) => {
				globalThis.skews = set;
			}, skews);
			await sleep(300);
			await live(page);
			await moves(fresh);
		}
		await assertFresh(t, fresh);
	}));

test('a clock of the hub that jumps an hour is noticed, asked for again, and nothing old is live', (t) =>
	withFakeHub(async ({ hub, page, relay, ahead }) => {
		const fresh = await watchFreshness(page, { ahead, jumpMs: HOUR_MS });
		await moves(fresh);
		const { times } = hub;
		hub.cameras[0].bootUs += HOUR_MS * 1000;
		await until('asked again', () => hub.times > times, PATIENCE_MS);
		await live(page);
		await moves(fresh);
		relay.stall();
		await aged(page, 3);
		relay.resume();
		await live(page);
		await moves(fresh);
		await assertFresh(t, fresh);
		assert.ok(hub.log.every(({ what }) => what !== 'report'), 'it is no mix-up');
	}));

test('the clocks of this test agree', () => {
	const [first, second] = [boottimeAhead(), boottimeAhead()];
	assert.ok(Math.abs(first - second) < 20, `${first} ${second}`);
});
