/**
 * What a network, a web role or an old hub might put before a display, in Chromium: frames and keys
 * that are old, broken, doubled, out of order or from elsewhere, and less protection than there is.
 * O-FRESH looks on: which pictures are painted, and how old they are.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchFreshness } from '../oracles/fresh.mjs';
import { openBrowser, tiles } from './browser.mjs';
import { KIND } from './fake_hub.mjs';
import { HOUR_MS, PATIENCE_MS, SIZE, assertFresh, live, moves, says, sleep, withFakeHub,
	withRealHub } from './fresh_page.mjs';
import { longHeader } from './hub_crypto.mjs';
import { until } from './until.mjs';

const COUNTER = 3;
const UNSEAL = 4;
const KEY = 5;

const sum = (counts) => Object.values(counts).reduce((all, count) => all + count, 0);
const reports = (hub) => hub.log.filter(({ what }) => what === 'report')
	.map(({ reason }) => reason);
const reported = (hub, reason) => until(`reported as ${reason}`, () =>
	reports(hub).includes(reason), PATIENCE_MS);

/** The display answered several frames from now on as late. */
async function late(hub) {
	const { length } = hub.acks;
	await until('several are late', () => hub.acks.slice(length).filter(({ outcome }) =>
		outcome === 'late').length > 3, PATIENCE_MS);
}

/** Each picture is painted once, and none after a newer one. */
async function assertInOrder(fresh) {
	const { numbers } = await fresh.read();
	assert.ok(numbers.length > 3 && numbers.every((number, at) => at === 0
		|| number > numbers[at - 1]), JSON.stringify(numbers));
}

/** A watched page at the fake hub, whose frames go through `tamper`, if it is set. */
const withTampering = (use) => withFakeHub(async (parts) => {
	const { hub, page, ahead } = parts;
	const fresh = await watchFreshness(page, { ahead });
	const deliver = hub.deliver.bind(hub);
	const taps = { tamper: null };
	hub.deliver = (camera, frame) => {
		for (const each of taps.tamper ? taps.tamper(frame) : [frame]) {
			deliver(camera, each);
		}
	};
	await moves(fresh);
	await use({ ...parts, fresh, taps, camera: hub.cameras[0] });
}, { fps: 5 });

/** For a while; then all is well again. */
async function endure({ page, fresh, taps }, tamper, tampered) {
	taps.tamper = tamper;
	await tampered();
	taps.tamper = null;
	await live(page);
	await moves(fresh);
}

/* ---- frames ---- */

test('a bit flipped in each frame: none is drawn, the display is dropped, and all say so', (t) =>
	withRealHub(async ({ hub, page, fresh }) => {
		const context = await openBrowser({ viewport: SIZE });
		try {
			const sound = await context.newPage();
			await sound.goto(await hub.link('--name', 'Sound', '--cameras', 'all'));
			await sound.click('button');
			await live(sound);
			const soundFresh = await watchFreshness(sound);
			const [worker] = page.workers();
			await worker.evaluate(() => {
				const property = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data');
				let frames = 0;
				globalThis.flipping = true;
				Object.defineProperty(MessageEvent.prototype, 'data', { ...property,
					get() {
						const data = property.get.call(this);
						const first = data instanceof ArrayBuffer && new DataView(data);
						if (globalThis.flipping && first && first.getUint8(0) === 1
							&& first.getUint32(8) === 0 && !this.flipped) {
							this.flipped = true;
							const bit = 16 * 8 + (frames++ * 7919) % ((data.byteLength - 16) * 8);
							first.setUint8(bit >> 3, first.getUint8(bit >> 3) ^ (1 << (bit & 7)));
						}
						return data;
					} });
			});
			await until('one is refused', async () => (await tiles(page))[0].includes('REFUSED')
				|| (await tiles(page))[0].includes('refused'), PATIENCE_MS);
			const { livePaintings } = await fresh.read();
			await until('the display is dropped', async () => (await hub.ask('audit')).viewings
				.some(({ why }) => why === 'cut off after reporting mix-ups'), PATIENCE_MS);
			await sleep(1500);
			assert.equal((await fresh.read()).livePaintings, livePaintings, 'none is drawn');
			await worker.evaluate('flipping = false');
			await live(page);
			await moves(fresh);
			await moves(soundFresh);

			/* Status, journal and record agree, and it is all about this one display. */
			const inJournal = hub.output.match(/MIX-UP: "[^"]*"/g);
			assert.deepEqual([...new Set(inJournal)].length, 1, String(inJournal));
			await until('all agree', async () => {
				const { viewings, events } = await hub.ask('audit');
				const alarms = events.filter(({ kind }) => kind === 'alarm').length;
				const cut = viewings.filter(({ why }) => why === 'cut off after reporting mix-ups');
				return alarms === sum((await hub.ask('status')).anomalies)
					&& alarms === inJournal.length && cut.length === alarms - 1
					&& cut.every(({ display }) => display !== 'Sound');
			}, PATIENCE_MS);
			await until('nothing was refused there', async () =>
				/LIVE, TEST PICTURE$/.test((await tiles(sound))[0]), PATIENCE_MS);
			await assertFresh(t, soundFresh);
			await assertFresh(t, fresh);
		} finally {
			await context.finish();
		}
	}, { cameras: ['pattern:640x384@15'], mixUps: true }));

test('a frame sealed an hour ago is late, whether its key is still in force or not', (t) =>
	withTampering(async (parts) => {
		const { hub, camera, fresh } = parts;
		const kept = camera.frame();
		const old = () => [camera.frame({ ageMs: HOUR_MS })];
		await endure(parts, old, async () => {
			const { livePaintings } = await fresh.read();
			await late(hub);
			/* Those that were under way. */
			assert.ok((await fresh.read()).livePaintings <= livePaintings + 2);
		});
		for (let epochs = 0; epochs < 6; epochs++) {
			hub.rotate(camera);
			await moves(fresh);
		}
		await endure(parts, () => [kept], () => late(hub));
		assert.deepEqual(reports(hub), [], 'an old frame is no mix-up');
		await assertInOrder(fresh);
		await assertFresh(t, fresh);
	}));

for (const [how, make] of [
	['out of order', () => {
		let held = null;
		return (frame) => {
			const pair = held === null ? [] : [frame, held];
			held = held === null ? frame : null;
			return pair;
		};
	}],
	['twice', () => (frame) => [frame, frame]],
	['again later', () => {
		const kept = [];
		return (frame) => {
			kept.push(frame);
			return kept.length > 5 ? [kept.shift()] : [frame];
		};
	}],
]) {
	test(`frames that come ${how} are an alarm, and none is drawn after a newer one`, (t) =>
		withTampering(async (parts) => {
			const { hub, fresh } = parts;
			await endure(parts, make(), () => reported(hub, COUNTER));
			assert.ok(reports(hub).every((reason) => reason === COUNTER), String(reports(hub)));
			await assertInOrder(fresh);
			await assertFresh(t, fresh);
		}));
}

/* ---- keys ---- */

/** Says a KEY as it was, on the stream that is there now, signed for this session. */
function sayAgain(hub, body) {
	const [connection] = hub.connections;
	const again = Buffer.from(body);
	again.writeUInt16BE([...connection.streams.keys()].at(-1), 0);
	connection.say(KIND.KEY, again);
}

/** All bodies of KEY that the hub says from now on. */
function listen(hub) {
	const bodies = [];
	const [connection] = hub.connections;
	const { say } = connection;
	connection.say = (kind, body) => {
		if (kind === KIND.KEY) {
			bodies.push(Buffer.from(body));
		}
		say.call(connection, kind, body);
	};
	return bodies;
}

test('a key that is said again is no way back to what it once opened', (t) =>
	withTampering(async (parts) => {
		const { hub, camera, fresh } = parts;
		const bodies = listen(hub);
		hub.rotate(camera);
		await moves(fresh);
		const kept = camera.frame();
		for (let epochs = 0; epochs < 2; epochs++) {
			hub.rotate(camera);
			await moves(fresh);
		}
		/* It may have been under way when the epoch changed: no alarm, and no use. */
		await endure(parts, () => [kept], async () => {
			sayAgain(hub, bodies[0]);
			await late(hub);
		});
		assert.deepEqual(reports(hub), []);
		await assertInOrder(fresh);
		await assertFresh(t, fresh);
	}));

test('a key from an earlier session opens nothing in this one, and its message ends it', (t) =>
	withTampering(async (parts) => {
		const { hub, camera, page, fresh } = parts;
		const bodies = listen(hub);
		const messages = [];
		const [first] = hub.connections;
		const { websocket } = first;
		const send = websocket.send.bind(websocket);
		websocket.send = (data) => {
			messages.push(data);
			send(data);
		};
		hub.rotate(camera);
		await until('a key', () => bodies.length > 0, PATIENCE_MS);
		const message = messages.find((data) => data[0] === 0x20 && data[21] === KIND.KEY);
		first.cut();
		await until('another session', () => hub.connections.size === 1
			&& ![...hub.connections][0].session.equals(first.session)
			&& [...hub.connections][0].streams.size > 0, PATIENCE_MS);
		await moves(fresh);
		sayAgain(hub, bodies[0]);
		await reported(hub, KEY);
		await live(page);
		await moves(fresh);
		const [second] = hub.connections;
		second.websocket.send(message);
		await until('the session is ended', () => !hub.connections.has(second), PATIENCE_MS);
		await live(page);
		await moves(fresh);
		assert.deepEqual([...new Set(reports(hub))], [KEY]);
		await assertFresh(t, fresh);
	}));

/* ---- less protection than there is ---- */

for (const [what, weaken, reason] of [
	['an SFrame header longer than it needs to be', (camera) =>
		camera.frame({ encode: longHeader }), UNSEAL],
	['no seal at all', (camera) => {
		const frame = camera.frame();
		const tag = 16;
		const jpeg = Buffer.from(frame.subarray(36, frame.length - tag));
		jpeg.set([0xff, 0xd8]);
		jpeg.set([0xff, 0xd9], jpeg.length - 2);
		return Buffer.concat([frame.subarray(0, 34), jpeg]);
	}, UNSEAL],
]) {
	test(`frames with ${what} are refused and reported`, (t) => withTampering(async (parts) => {
		const { hub, camera, fresh } = parts;
		const weak = new Set();
		await endure(parts, () => {
			const frame = weaken(camera);
			weak.add(camera.number);
			return [frame];
		}, () => reported(hub, reason));
		const { numbers } = await fresh.read();
		assert.ok(weak.size > 0 && numbers.every((number) => !weak.has(number)));
		assert.ok(reports(hub).every((each) => each === reason), String(reports(hub)));
		await assertFresh(t, fresh);
	}));
}

test('a key that is not wrapped is none', (t) => withTampering(async (parts) => {
	const { hub, camera, page, fresh } = parts;
	const bodies = listen(hub);
	hub.rotate(camera);
	await until('a key', () => bodies.length > 0, PATIENCE_MS);
	const bare = Buffer.from(bodies[0]);
	camera.key.copy(bare, bare.length - 32);
	bare.fill(0, bare.length - 16);
	sayAgain(hub, bare);
	await reported(hub, KEY);
	await live(page);
	await moves(fresh);
	assert.deepEqual([...new Set(reports(hub))], [KEY]);
	await assertFresh(t, fresh);
}));

test('a hub of an older version hears nothing, and shows nothing', () => withTampering(
	async ({ hub, page }) => {
		hub.faults.versions = [0, 0];
		const { length } = hub.log;
		hub.connections.forEach((connection) => connection.cut());
		await says(page, 'STOPPED');
		await sleep(500);
		assert.deepEqual(hub.log.slice(length), []);
		assert.ok([...hub.connections].every(({ display }) => display === null));
	}));
