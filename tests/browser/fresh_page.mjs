/** A page that is watched by O-FRESH, for the tests of what stands still and of clocks. */
import assert from 'node:assert/strict';
import { watchFreshness } from '../oracles/fresh.mjs';
import { openBrowser, tiles } from './browser.mjs';
import { serveFakeHub } from './fake_server.mjs';
import { RealHub } from './real_hub.mjs';
import { Relay } from './relay.mjs';
import { until } from './until.mjs';

/** Small, so that looking at each picture takes little. */
export const SIZE = { width: 640, height: 384 };
export const HOUR_MS = 3_600_000;
/** A machine that is busy with other tests takes its time, and nothing here measures it. */
export const PATIENCE_MS = 60_000;

export const says = (page, text) => until(`the tile says ${text}`, async () =>
	(await tiles(page))[0]?.includes(text), PATIENCE_MS);
/** The picture is so old, at least: a busy machine may miss the very second. */
export const aged = (page, seconds) => until(`${seconds} s ago`, async () => {
	const said = (await tiles(page))[0] ?? '';
	return Number(/(\d) s ago/.exec(said)?.[1]) >= seconds || said.includes('NO PICTURE');
}, PATIENCE_MS);
export const live = (page) => says(page, 'LIVE');
export const sleep = (ms) => new Promise((resolve) => {
	setTimeout(resolve, ms);
});

/** New pictures are on the tile. */
export async function moves(fresh) {
	const before = (await fresh.read()).livePaintings;
	await until('new pictures are painted', async () =>
		(await fresh.read()).livePaintings > before + 3, PATIENCE_MS);
}

/** O-FRESH has nothing to say, and has looked. @param {import('node:test').TestContext} t */
export async function assertFresh(t, fresh) {
	const found = await fresh.read();
	assert.deepEqual(found.violations, []);
	assert.ok(found.livePaintings > 3 && found.samples > 3, JSON.stringify(found));
	t.diagnostic(`O-FRESH: ${found.livePaintings} pictures painted as LIVE, ${found.samples} looks, `
		+ `oldest LIVE ${Math.round(found.worstLiveMs)} ms, LIVE violations 0`);
	return found;
}

/** And after each gap, of which there was one at least, the tile was blank before anything else. */
export async function assertBlankFirst(t, fresh) {
	const { afterGaps } = await assertFresh(t, fresh);
	assert.ok(afterGaps.length > 0 && afterGaps.every((painted) => painted === 'blank'),
		`painted after gaps: ${afterGaps.join(', ') || 'nothing'}`);
}

/** A browser that reaches the hub through a relay, paired and live. */
async function withPage(hub, use) {
	const relay = await new Relay().start(hub.port);
	const context = await openBrowser({ viewport: SIZE,
		args: [`--host-resolver-rules=MAP localhost:${hub.port} 127.0.0.1:${relay.port}`] });
	try {
		const page = await context.newPage();
		await page.goto((await hub.pairingLink()).replace('127.0.0.1', 'localhost'));
		await page.click('button');
		await live(page);
		await use({ hub, relay, page, context });
	} finally {
		await context.finish();
		relay.stop();
	}
}

/**
 * @param {(parts: object) => Promise<void>} use
 * @param {object} [options] of RealHub; mixUps: the test makes some
 * @param {object} [limits] of O-FRESH
 */
export async function withRealHub(use, options = { cameras: ['pattern:640x384@15'] }, limits = {}) {
	const hub = await new RealHub().start(options);
	hub.port = Number(/listening on \S+:(\d+)/.exec(hub.output)[1]);
	hub.pairingLink = () => hub.firstLink();
	try {
		await withPage(hub, async (parts) => {
			await use({ ...parts, fresh: await watchFreshness(parts.page, limits) });
		});
		const { anomalies } = await hub.ask('status');
		assert.ok(options.mixUps || Object.values(anomalies).every((count) => count === 0),
			JSON.stringify(anomalies));
	} catch (error) {
		error.message += `\n${hub.output}`;
		throw error;
	} finally {
		await hub.stop();
	}
}

export async function withFakeHub(use, camera = {}) {
	const hub = await serveFakeHub({ cameras: [{ name: 'Door', tag: 7, ...SIZE, ...camera }] });
	hub.pairingLink = () => hub.link();
	hub.origin = `https://localhost:${hub.port}`;
	const ahead = hub.cameras[0].clockUs() / 1000 - Date.now();
	try {
		await withPage(hub, (parts) => use({ ...parts, ahead }));
	} finally {
		await hub.close();
	}
}

export const setVisibility = (page, state) => page.evaluate((value) => {
	Object.defineProperty(document, 'visibilityState', { value, configurable: true });
	document.dispatchEvent(new Event('visibilitychange'));
}, state);

/** Nothing is on the tile at two looks. */
export const blank = (fresh) => until('nothing is on the tile', async () => {
	const before = await fresh.read();
	await sleep(200);
	const { blank: now, numbers } = await fresh.read();
	return now > before.blank + 1 && numbers.length === before.numbers.length;
}, PATIENCE_MS);
