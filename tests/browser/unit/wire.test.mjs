import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Malformed, fromBase64url, nameOk, toBase64url } from '../../../web/ui/bytes.js';
import * as wire from '../../../web/ui/wire.js';

const fill = (size, value = 7) => Buffer.alloc(size, value);
const u32 = (value) => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
};
const str = (text) => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);

/** Each parser with one good message. */
const GOOD = {
	parseChallenge: Buffer.concat([Buffer.from([0x10, 1, 1]), fill(16), fill(32), fill(65)]),
	parseWelcome: Buffer.concat([fill(32), fill(16), fill(32), Buffer.from([1]), str('Kitchen'),
		Buffer.from([0, 2])]),
	parseCamera: Buffer.concat([fill(16), Buffer.from([1, 1, 2]), fill(16), fill(65), u32(66667),
		u32(500_000), str('Garten ü')]),
	parseCameraGone: Buffer.concat([fill(16), Buffer.from([1])]),
	parseEnded: Buffer.concat([Buffer.from([0, 3]), fill(16), Buffer.from([4])]),
	parseAbort: Buffer.concat([Buffer.from([2, 0, 0, 3]), u32(9)]),
	parseNewCamera: Buffer.concat([fill(16), Buffer.from([0, 1]), str('C270'), str('port 1.2')]),
	parseNewCameraGone: fill(16),
	parseScreen: Buffer.concat([fill(32), Buffer.from([1]), str('Kitchen')]),
};

for (const [name, good] of Object.entries(GOOD)) {
	test(`${name} reads its message, and no other length of it`, () => {
		wire[name](good);
		for (let size = 0; size < good.length; size++) {
			assert.throws(() => wire[name](good.subarray(0, size)), Malformed, String(size));
		}
		assert.throws(() => wire[name](Buffer.concat([good, Buffer.from([0])])), Malformed);
	});
}

test('KEY is 32 or 56 bytes of wrapped key, by its purpose', () => {
	const key = (purpose, size) => Buffer.concat([Buffer.from([0, 1]), fill(16), fill(16), u32(5),
		Buffer.from([purpose]), fill(65), fill(size)]);
	for (const [purpose, size] of [[1, 56], [2, 32], [3, 32], [4, 56]]) {
		assert.equal(wire.parseKey(key(purpose, size)).wrapped.length, size);
		assert.throws(() => wire.parseKey(key(purpose, 88 - size)), Malformed);
	}
	assert.throws(() => wire.parseKey(key(5, 56)), Malformed);
	assert.throws(() => wire.parseKey(key(0, 32)), Malformed);
});

test('a chunk stays within its frame', () => {
	const chunk = (offset, total, size, flags = 0) => Buffer.concat([Buffer.from([1, flags, 0, 1]),
		u32(1), u32(offset), u32(total), fill(size)]);
	assert.equal(wire.parseChunk(chunk(10, 30, 20)).piece.length, 20);
	assert.throws(() => wire.parseChunk(chunk(10, 30, 21)), Malformed);
	assert.throws(() => wire.parseChunk(chunk(10, 30, 0)), Malformed);
	assert.throws(() => wire.parseChunk(chunk(0xffffffff, 30, 1)), Malformed);
	assert.throws(() => wire.parseChunk(chunk(0, 30, 20, 1)), Malformed);
	assert.throws(() => wire.parseChunk(chunk(0, 20_000, 16_353)), Malformed);
});

test('a signed message is cut where PROTOCOL.md says', () => {
	const body = Buffer.from('body');
	const message = Buffer.concat([Buffer.from([0x20]), fill(16, 1), u32(7), Buffer.from([3]), body,
		fill(64, 9)]);
	const parsed = wire.parseSigned(message);
	assert.equal(parsed.counter, 7);
	assert.equal(parsed.kind, 3);
	assert.equal(Buffer.from(parsed.body).toString(), 'body');
	assert.equal(parsed.signed.length, message.length - 64);
	assert.throws(() => wire.parseSigned(message.subarray(0, 22 + 63)), Malformed);
	assert.throws(() => wire.parseSigned(Buffer.concat([Buffer.from([0x21]),
		message.subarray(1)])), Malformed);
});

test('messages of a display are as long as PROTOCOL.md says', () => {
	const totals = { received: 1, drawn: 1, late: 0, hidden: 0, refused: 0, worstAgeMs: 9 };
	const report = { stream: 1, camera: fill(16), generation: fill(16), reason: 4, epoch: 1,
		counter: 2n };
	const sizes = [
		[wire.encodeWatch({ stream: 1, camera: fill(16), rendition: 0, nonce: fill(16) }), 35],
		[wire.encodeUnwatch(1, totals), 26],
		[wire.encodeTime(1, fill(16)), 18],
		[wire.encodeReport(report), 47],
		[wire.encodeKeyAck(1, 2), 6],
		[wire.encodePulse(), 1],
		[wire.encodeAck({ outcome: 1, stream: 1, frame: 1, ageMs: 12, reason: 0 }), 11],
		[wire.encodeLogin({ displayId: fill(32), nonce: fill(32), signature: fill(64) }), 130],
		[wire.encodePair({ linkId: fill(8), signPublic: fill(65), kemPublic: fill(65),
			nonce: fill(32), name: 'abc', proof: fill(32), signature: fill(64) }), 272],
		[wire.wrapInfo({ home: fill(16), camera: fill(16), generation: fill(16),
			displayId: fill(32), session: fill(16), epoch: 1, purpose: 1 }), 121],
		[wire.frameMetadata(fill(16), fill(16), fill(34)), 82],
	];
	for (const [message, size] of sizes) {
		assert.equal(message.length, size);
	}
});

test('an age that is not known, or beyond the field, stays within it', () => {
	const age = (ageMs) => {
		const ack = wire.encodeAck({ outcome: 1, stream: 1, frame: 1, ageMs, reason: 0 });
		return (ack[8] << 8) | ack[9];
	};
	assert.deepEqual([null, 70_000, -150, 12.4].map(age), [65535, 65534, 0, 12]);
});

test('a link is read whole or not at all', () => {
	const bytes = Buffer.concat([Buffer.from([1]), fill(8), fill(16), fill(32)]);
	const text = bytes.toString('base64url');
	assert.equal(wire.parseLink(text).owner, true);
	assert.equal(toBase64url(fromBase64url(text)), text);
	for (const bad of [text.slice(0, -1), `${text}A`, `${text}=`, `${text} `, '', `A${text}`,
		Buffer.concat([Buffer.from([2]), bytes.subarray(1)]).toString('base64url')]) {
		assert.throws(() => wire.parseLink(bad), Malformed, bad);
	}
});

test('names are short, printable and without outer spaces', () => {
	for (const good of ['a', 'C270 (port 1.2)', 'Garten ü', 'x'.repeat(64)]) {
		assert.ok(nameOk(good), good);
	}
	for (const bad of ['', ' a', 'a ', 'a\nb', '\u0085', 'x'.repeat(65), 'ü'.repeat(33)]) {
		assert.ok(!nameOk(bad), JSON.stringify(bad));
	}
	const invalid = Buffer.concat([fill(16), Buffer.from([1, 0, 2]), fill(16), fill(65), u32(1),
		u32(1), Buffer.from([2, 0xc3, 0x28])]);
	assert.throws(() => wire.parseCamera(invalid), Malformed);
});
