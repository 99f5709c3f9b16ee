import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Assembly } from '../../../web/ui/assembly.js';
import { Malformed } from '../../../web/ui/bytes.js';
import { Epochs, HighWater } from '../../../web/ui/epochs.js';
import { jpegSize } from '../../../web/ui/jpeg.js';
import { opixJpeg } from '../opix_jpeg.mjs';

test('the previous key opens for two seconds after the switch', () => {
	const epochs = new Epochs();
	assert.equal(epochs.find(1, 0), null);
	assert.ok(epochs.use(1, 'one', 0));
	assert.ok(epochs.announce(2, 'two', 0));
	assert.equal(epochs.find(1, 100), 'one');
	assert.equal(epochs.find(2, 100), 'two');
	epochs.opened(2, 1000);
	assert.equal(epochs.find(1, 3000), 'one');
	assert.equal(epochs.find(1, 3001), null);
	assert.ok(epochs.retired(1));
	assert.equal(epochs.find(3, 3001), null);
	assert.ok(!epochs.retired(3));
});

test('a break is in force at once, and epochs never go back', () => {
	const epochs = new Epochs();
	epochs.use(5, 'five', 0);
	epochs.announce(6, 'six', 0);
	assert.ok(epochs.use(7, 'seven', 10));
	assert.equal(epochs.find(7, 10), 'seven');
	assert.equal(epochs.find(6, 10), null, 'an announced key that was overtaken is forgotten');
	assert.ok(!epochs.announce(7, 'again', 20));
	assert.ok(epochs.use(5, 'other', 20), 'an answer may be of the epoch before');
	assert.equal(epochs.find(5, 20), 'five');
});

test('an epoch announced before another is in force, though no frame of it came yet', () => {
	const epochs = new Epochs();
	epochs.use(3, 'three', 0);
	epochs.announce(4, 'four', 100);
	epochs.announce(5, 'five', 1000);
	assert.equal(epochs.find(3, 3000), 'three');
	assert.equal(epochs.find(3, 3001), null);
	assert.equal(epochs.find(4, 9000), 'four');
	assert.equal(epochs.find(5, 9000), 'five');
});

test('a counter is good once, per epoch and rendition', () => {
	const marks = new HighWater();
	const [one, two] = [{}, {}];
	assert.equal(marks.check(1, 0, 0n, one), 'above');
	marks.raise(1, 0, 0n, one);
	assert.equal(marks.check(1, 0, 0n, one), 'replayed');
	assert.equal(marks.check(1, 0, 0n, two), 'seen');
	assert.equal(marks.check(1, 1, 0n, one), 'above');
	assert.equal(marks.check(2, 0, 0n, one), 'above');
	marks.raise(1, 0, 9n, two);
	assert.equal(marks.check(1, 0, 8n, two), 'replayed');
	assert.equal(marks.check(1, 0, 10n, two), 'above');
});

const piece = (size) => new Uint8Array(size).fill(size);

test('a frame is put together from its pieces', () => {
	const assembly = new Assembly(100);
	assert.equal(assembly.add({ frame: 1, offset: 0, total: 5, piece: piece(3) }), null);
	assert.deepEqual(assembly.add({ frame: 1, offset: 3, total: 5, piece: piece(2) }),
		{ frame: 1, bytes: new Uint8Array([3, 3, 3, 2, 2]) });
	assembly.add({ frame: 2, offset: 0, total: 5, piece: piece(3) });
	assembly.abort(2);
	assert.equal(assembly.add({ frame: 3, offset: 0, total: 2, piece: piece(2) }).frame, 3);
});

test('a frame over the limit is let pass and not kept', () => {
	const assembly = new Assembly(4);
	assert.equal(assembly.add({ frame: 1, offset: 0, total: 5, piece: piece(3) }), null);
	assert.deepEqual(assembly.add({ frame: 1, offset: 3, total: 5, piece: piece(2) }),
		{ frame: 1, bytes: null });
});

test('pieces out of order, overlapping, or of another frame are refused', () => {
	const first = { frame: 1, offset: 0, total: 5, piece: piece(3) };
	const bad = [{ ...first, offset: 2 }, { ...first, offset: 4, piece: piece(1) },
		{ ...first, frame: 2, offset: 3, piece: piece(2) },
		{ ...first, offset: 3, total: 6, piece: piece(2) }];
	for (const second of bad) {
		const assembly = new Assembly(100);
		assembly.add(first);
		assert.throws(() => assembly.add(second), Malformed);
	}
	assert.throws(() => new Assembly(100).add({ ...first, frame: 2 }), Malformed);
	assert.throws(() => new Assembly(100).add({ ...first, offset: 1 }), Malformed);
	assert.throws(() => new Assembly(100).abort(1), Malformed);
});

test('a JPEG is whole, or it is none', () => {
	const jpeg = opixJpeg({ width: 128, height: 64, tag: 1, number: 2, captureMs: 3 });
	assert.deepEqual(jpegSize(jpeg), { width: 128, height: 64 });
	assert.equal(jpegSize(jpeg.subarray(0, -1)), null);
	assert.equal(jpegSize(jpeg.subarray(1)), null);
	assert.equal(jpegSize(new Uint8Array(0)), null);
	assert.equal(jpegSize(new Uint8Array([0xff, 0xd8, 0xff, 0xd9])), null);
	for (let size = 2; size < 300; size++) {
		const cut = Uint8Array.from([...jpeg.subarray(0, size), 0xff, 0xd9]);
		const result = jpegSize(cut);
		assert.ok(result === null || result.width === 128);
	}
});
