/**
 * I7 in Chromium: what is not live is never called live, whatever stands still: the network, the
 * page, its worker, the camera. O-FRESH (tests/oracles/fresh.mjs) looks on, and is shown first to
 * see what it should.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../opix/opix.mjs';
import { decodePng, tiles } from './browser.mjs';
import { PATIENCE_MS, aged, assertBlankFirst, assertFresh, blank, live, moves, says,
	setVisibility, sleep, withRealHub } from './fresh_page.mjs';
import { until } from './until.mjs';

/** Pictures of the screen as the compositor shows it, page thread or not. */
async function recordScreen(page) {
	const session = await page.context().newCDPSession(page);
	const frames = [];
	session.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
		frames.push({ atMs: metadata.timestamp * 1000, data });
		session.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
	});
	await session.send('Page.startScreencast', { format: 'png', everyNthFrame: 1 });
	return {
		/** Those of a while that began and ended then, by the wall clock. */
		stop: async (fromMs, toMs) => {
			await session.send('Page.stopScreencast');
			return frames.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ data }) => {
				const image = decodePng(Buffer.from(data, 'base64'));
				const code = decode(image, { height: 320 });
				return { shown: code.tiles > code.badTiles, number: code.number };
			});
		},
	};
}

/** Keeps the thread busy, and says from when to when. By the wall clock, as O-FRESH takes whoever
 * asks for the other one for a page that runs. */
const holdUp = (where, ms) => where.evaluate((length) => {
	const from = Date.now();
	let now = from;
	while (now < from + length) {
		now = Date.now();
	}
	return [from, now];
}, ms);

/* ---- the oracle itself ---- */

test('a label that stays LIVE is seen by the oracle', () => withRealHub(
	async ({ page, relay, fresh }) => {
		await moves(fresh);
		await page.workers()[0].evaluate(`import('/freshness.js').then(({ Freshness }) => {
			Freshness.prototype.look = () => ({ state: 'live', seconds: 0 });
		})`);
		relay.stall();
		for (const what of ['still LIVE', 'not blank']) {
			await until(`the oracle says: ${what}`, async () =>
				(await fresh.read()).violations.some((violation) => violation.what === what),
			PATIENCE_MS);
		}
	}));

test('an old picture that is painted as LIVE is seen by the oracle', () => withRealHub(
	async ({ page, relay, fresh }) => {
		await moves(fresh);
		await page.workers()[0].evaluate(`import('/freshness.js').then(({ CameraClock }) => {
			CameraClock.prototype.age = () => 0;
		})`);
		relay.stallHub();
		await aged(page, 3);
		relay.resume();
		await until('the oracle says it', async () => (await fresh.read()).violations.some(
			({ what, ageMs }) => what === 'painted as LIVE' && ageMs > 2000), PATIENCE_MS);
	}));

/* ---- what stands still ---- */

test('a network that stands still: seconds ago, then nothing, then live again', (t) => withRealHub(
	async ({ page, relay, fresh }) => {
		for (const passes of [() => aged(page, 2), () => aged(page, 4),
			() => says(page, 'NO PICTURE')]) {
			await moves(fresh);
			relay.stall();
			await passes();
			relay.resume();
			await live(page);
		}
		await moves(fresh);
		await assertFresh(t, fresh);
	}));

test('a network that stutters calls nothing live that is not', (t) => withRealHub(
	async ({ relay, fresh }) => {
		for (const ms of [300, 900, 1500, 1900, 2100, 2500, 1200, 600]) {
			relay.stall();
			await sleep(ms);
			relay.resume();
			await sleep(200);
		}
		await moves(fresh);
		await assertFresh(t, fresh);
	}));

test('a busy page: its worker draws on, and the screen shows it', (t) => withRealHub(
	async ({ page, fresh }) => {
		const screen = await recordScreen(page);
		const [from, to] = await holdUp(page, 4000);
		const frames = await screen.stop(from, to);
		const numbers = new Set(frames.filter(({ shown }) => shown).map(({ number }) => number));
		assert.ok(numbers.size > 5, `${numbers.size} pictures on the screen`);
		await assertFresh(t, fresh);
	}));

test('a busy page while the network stands still: the screen goes blank in time', (t) => withRealHub(
	async ({ page, relay, fresh }) => {
		await moves(fresh);
		const screen = await recordScreen(page);
		relay.stall();
		const [from, to] = await holdUp(page, 8000);
		relay.resume();
		const frames = await screen.stop(from, to);
		assert.ok(frames.length > 0 && !frames.at(-1).shown, 'blank before the page goes on');
		await live(page);
		await assertFresh(t, fresh);
	}));

test('a worker that is held up: the page takes the picture away, the worker blanks first', (t) =>
	withRealHub(async ({ page, fresh }) => {
		await moves(fresh);
		const screen = await recordScreen(page);
		const held = holdUp(page.workers()[0], 4000);
		await page.waitForSelector('body.stalled');
		assert.equal(await page.$eval('#wall', (wall) => getComputedStyle(wall).visibility),
			'hidden');
		const [from, to] = await held;
		const frames = await screen.stop(from, to);
		assert.ok(frames.length > 0 && !frames.at(-1).shown, 'dark before the worker goes on');
		await page.waitForSelector('body:not(.stalled)');
		await live(page);
		await moves(fresh);
		await assertBlankFirst(t, fresh);
	}));

test('a page that is told that it will be frozen blanks first', (t) => withRealHub(
	async ({ page, fresh }) => {
		await moves(fresh);
		await page.evaluate(() => document.dispatchEvent(new Event('freeze')));
		await blank(fresh);
		await setVisibility(page, 'visible');
		await live(page);
		await moves(fresh);
		await assertFresh(t, fresh);
	}));

test('a page that is hidden shows nothing, and is live again when it is looked at', (t) => withRealHub(
	async ({ hub, page, fresh }) => {
		await moves(fresh);
		await setVisibility(page, 'hidden');
		await blank(fresh);
		await until('the camera is let go', async () =>
			(await hub.ask('cameras')).cameras[0].watchers === 0, PATIENCE_MS);
		await setVisibility(page, 'visible');
		await live(page);
		await moves(fresh);
		await assertFresh(t, fresh);
	}));

/* The driver's stamps go on: the camera role says FROZEN within 2 s, in a frame that may be shown as
 * LIVE until it is 2 s old; and what is called FROZEN stays. */
const REPEATED = { liveMs: 4000, blankMs: 3_600_000 };

for (const fault of ['frozen', 'stuck']) {
	test(`a ${fault} driver that repeats its last picture is not LIVE`, (t) => withRealHub(
		async ({ page, fresh }) => {
			await moves(fresh);
			await until('nothing is called LIVE any more', async () => {
				const { livePaintings } = await fresh.read();
				await sleep(1500);
				return (await fresh.read()).livePaintings === livePaintings
					&& !(await tiles(page))[0].includes('LIVE');
			}, PATIENCE_MS);
			await assertFresh(t, fresh);
		}, { plugged: 'video0 card=Webcam usb=046d:0825 serial=S1 modes=MJPG:640x384@15 '
			+ `faults=${fault}/90\n` }, REPEATED));
}
