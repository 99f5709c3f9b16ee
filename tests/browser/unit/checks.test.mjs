import './setup.mjs';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { checkFrame } from '../../../web/ui/checks.js';
import { Epochs, HighWater } from '../../../web/ui/epochs.js';
import { CameraClock } from '../../../web/ui/freshness.js';
import { SframeKey } from '../../../web/ui/sframe.js';
import { Anomaly, Outcome, parseCamera } from '../../../web/ui/wire.js';
import { FakeCamera } from '../fake_camera.mjs';

/** A camera, and a display that watches it. */
async function watching() {
	const home = randomBytes(16);
	const camera = new FakeCamera({ name: 'A', tag: 1, home, width: 128, height: 64 });
	const lens = {
		home, camera: parseCamera(camera.describe()), epochs: new Epochs(),
		highWater: new HighWater(), clock: new CameraClock(), blankMs: () => 5000,
	};
	const learn = async (announce = false) => {
		const key = await SframeKey.derive(BigInt(camera.epoch), camera.key);
		return announce ? lens.epochs.announce(camera.epoch, key, performance.now())
			: lens.epochs.use(camera.epoch, key, performance.now());
	};
	await learn();
	lens.clock.asked('n', performance.now());
	lens.clock.answered('n', camera.clockUs(), performance.now());
	const judge = (frame) => checkFrame(frame, lens, () => performance.now());
	return { home, camera, lens, learn, judge };
}

/** @param {any} verdict @param {number} outcome @param {number} reason */
function expect(verdict, outcome, reason = Anomaly.NONE) {
	assert.deepEqual([verdict.outcome, verdict.reason], [outcome, reason]);
	assert.equal(verdict.picture !== null, outcome === Outcome.DRAWN);
}

test('an honest frame passes, once', async () => {
	const { camera, judge } = await watching();
	const frame = camera.frame();
	const verdict = await judge(frame);
	expect(verdict, Outcome.DRAWN);
	assert.ok(verdict.ageMs >= 0 && verdict.ageMs < 1000);
	expect(await judge(frame), Outcome.REFUSED, Anomaly.COUNTER);
	expect(await judge(camera.frame()), Outcome.DRAWN);
});

test('a frame of another camera is refused whatever its seal', async () => {
	const { home, judge } = await watching();
	const other = new FakeCamera({ name: 'B', tag: 2, home });
	expect(await judge(other.frame()), Outcome.REFUSED, Anomaly.FOREIGN_CAMERA);
	expect(await judge(new Uint8Array(20)), Outcome.REFUSED, Anomaly.FOREIGN_CAMERA);
	const { camera, judge: own } = await watching();
	const frame = camera.frame();
	frame[16] = 1;
	expect(await own(frame), Outcome.REFUSED, Anomaly.FOREIGN_CAMERA);
});

test('a frame of another generation or home does not open', async () => {
	const { camera, judge } = await watching();
	const { generation } = camera;
	camera.generation = randomBytes(16);
	expect(await judge(camera.frame()), Outcome.REFUSED, Anomaly.UNSEAL);
	camera.generation = generation;
	camera.home = randomBytes(16);
	expect(await judge(camera.frame()), Outcome.REFUSED, Anomaly.UNSEAL);
});

test('an epoch without a key is refused, one that is over is late', async () => {
	const { camera, judge, learn } = await watching();
	const old = camera.frame();
	camera.rotate();
	const early = camera.frame();
	expect(await judge(early), Outcome.REFUSED, Anomaly.UNKNOWN_EPOCH);
	await learn();
	expect(await judge(camera.frame()), Outcome.DRAWN);
	expect(await judge(old), Outcome.DRAWN); /* the previous one, within two seconds */
	camera.rotate();
	await learn();
	expect(await judge(old), Outcome.LATE);
});

test('a frame of the announced epoch makes it the current one', async () => {
	const { camera, judge, learn } = await watching();
	camera.rotate();
	assert.ok(await learn(true));
	expect(await judge(camera.frame()), Outcome.DRAWN);
	camera.rotate();
	assert.ok(await learn(true), 'only a current epoch can be followed');
});

test('each bit counts: header, counter, picture and tag', async () => {
	const { camera, judge } = await watching();
	for (const at of [17, 19, 21, 26, 30, 33, 40, 200, -1]) {
		const frame = camera.frame();
		frame[at < 0 ? frame.length + at : at] ^= 1;
		const { outcome, picture } = await judge(frame);
		assert.equal(outcome, Outcome.REFUSED, String(at));
		assert.equal(picture, null);
	}
	expect(await judge(camera.frame()), Outcome.DRAWN);
});

test('an SFrame header of another epoch, or not minimal, is refused', async () => {
	const { camera, judge } = await watching();
	for (const byte of [0x20, 0x80, 0x18]) {
		const frame = camera.frame();
		frame[34] = byte;
		expect(await judge(frame), Outcome.REFUSED, Anomaly.UNSEAL);
	}
});

test('a seal that would open, under another KID than its epoch, is refused', async () => {
	const { camera, judge } = await watching();
	const { jpeg } = (await judge(camera.frame())).picture;
	expect(await judge(camera.seal(jpeg, camera.clockUs(), 2)), Outcome.REFUSED, Anomaly.UNSEAL);
	expect(await judge(camera.seal(jpeg, camera.clockUs())), Outcome.DRAWN);
});

test('too old is late, from the future is refused and asks for the time again', async () => {
	const { camera, judge, lens } = await watching();
	expect(await judge(camera.frame({ ageMs: 4500 })), Outcome.DRAWN);
	expect(await judge(camera.frame({ ageMs: 5100 })), Outcome.LATE);
	assert.ok(!lens.clock.due(performance.now()));
	expect(await judge(camera.frame({ ageMs: -1300 })), Outcome.REFUSED);
	assert.ok(lens.clock.due(performance.now()));
	expect(await judge(camera.frame()), Outcome.LATE);
});

test('a picture that is not as authenticated is refused', async () => {
	const { camera, judge } = await watching();
	camera.width = 192;
	const jpeg = (await judge(camera.frame())).picture.jpeg;
	camera.width = 128;
	expect(await judge(camera.seal(jpeg, camera.clockUs())), Outcome.REFUSED, Anomaly.PICTURE);
	expect(await judge(camera.seal(Buffer.from('no picture'), camera.clockUs())),
		Outcome.REFUSED, Anomaly.PICTURE);
});

test('the order holds: foreign before unknown, counter before seal, seal before age', async () => {
	const { home, camera, judge } = await watching();
	const other = new FakeCamera({ name: 'B', tag: 2, home });
	other.epoch = 99;
	expect(await judge(other.frame()), Outcome.REFUSED, Anomaly.FOREIGN_CAMERA);
	const frame = camera.frame();
	expect(await judge(frame), Outcome.DRAWN);
	frame[frame.length - 1] ^= 1;
	expect(await judge(frame), Outcome.REFUSED, Anomaly.COUNTER);
	const old = camera.frame({ ageMs: 60_000 });
	old[old.length - 1] ^= 1;
	expect(await judge(old), Outcome.REFUSED, Anomaly.UNSEAL);
});
