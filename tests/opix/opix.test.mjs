/** The reader of test pictures, on pictures that are drawn here. */
import assert from "node:assert/strict";
import test from "node:test";

import { decode } from "./opix.mjs";

const LEVELS = [72, 112, 152, 192];

function checksum(bytes) {
	let crc = 0xffff;
	for (const byte of bytes) {
		for (let bit = 7; bit >= 0; bit--) {
			const out = (crc >> 15) ^ ((byte >> bit) & 1);
			crc = ((crc << 1) & 0xffff) ^ (out ? 0x1021 : 0);
		}
	}
	return crc;
}

function codeOf({ tag, number, captureMs }, index) {
	const view = new DataView(new ArrayBuffer(16));
	view.setUint32(0, tag);
	view.setUint32(4, number * 256 + Math.floor(captureMs / 2 ** 32));
	view.setUint32(8, captureMs % 2 ** 32);
	view.setUint16(12, index);
	view.setUint16(14, checksum(new Uint8Array(view.buffer, 0, 14)));
	return new Uint8Array(view.buffer);
}

/** RGBA with a tint that leaves luma as it is; codeFor says what each tile carries. */
function draw(width, height, codeFor) {
	const data = new Uint8ClampedArray(4 * width * height);
	const across = Math.floor(width / 64);
	const down = Math.floor(height / 64);
	for (let y = 0; y < down * 64; y++) {
		for (let x = 0; x < across * 64; x++) {
			const index = Math.floor(y / 64) * across + Math.floor(x / 64);
			const code = codeFor(index);
			const cell = Math.floor((y % 64) / 8) * 8 + Math.floor((x % 64) / 8);
			const luma = LEVELS[(code[cell >> 2] >> (6 - 2 * (cell % 4))) & 3];
			const at = 4 * (y * width + x);
			const cr = x % 128 < 64 ? 30 : -30;
			data[at] = Math.round(luma + 1.402 * cr);
			data[at + 1] = Math.round(luma - 0.714 * cr);
			data[at + 2] = luma;
			data[at + 3] = 255;
		}
	}
	return { data, width, height };
}

const CODE = { tag: 0xdeadbeef, number: 0xabcdef, captureMs: 2 ** 39 + 12345 };

test("what was drawn is read back", () => {
	const o = decode(draw(330, 200, (index) => codeOf(CODE, index)));
	assert.deepEqual(o, { ok: true, ...CODE, tiles: 15, badTiles: 0, foreignTiles: 0, mixedTiles: 0 });
});

test("a foreign camera in a part of the picture is detected", () => {
	const o = decode(draw(320, 192, (i) => codeOf(i < 10 ? CODE : { ...CODE, tag: 7 }, i)));
	assert.equal(o.ok, false);
	assert.equal(o.foreignTiles, 5);
	assert.equal(o.mixedTiles, 0);
});

test("two frames in one picture are detected", () => {
	const o = decode(draw(320, 192, (i) => codeOf({ ...CODE, number: i < 10 ? 1 : 2 }, i)));
	assert.equal(o.ok, false);
	assert.equal(o.mixedTiles, 5);
});

test("the same frame number at another time is another frame", () => {
	const o = decode(draw(320, 192, (i) => codeOf({ ...CODE, captureMs: i < 14 ? 1 : 2 }, i)));
	assert.equal(o.ok, false);
	assert.equal(o.mixedTiles, 1);
});

test("tiles in another place are detected", () => {
	const o = decode(draw(320, 192, (i) => codeOf(CODE, i ^ 1)));
	assert.equal(o.ok, false);
	assert.ok(o.mixedTiles > 10);
});

test("a label is ignored only where it is", () => {
	const image = draw(320, 192, (index) => codeOf(CODE, index));
	image.data.fill(0, 0, 4 * 320 * 20);
	assert.equal(decode(image).badTiles, 5);
	const ignore = { left: 0, top: 0, width: 320, height: 20 };
	assert.equal(decode(image, { ignore }).ok, true);
	assert.equal(decode(image, { ignore }).tiles, 10);
	assert.equal(decode(image, { ignore: { ...ignore, width: 64 } }).badTiles, 4);
});

test("nothing at all is not ok", () => {
	assert.equal(decode({ data: new Uint8ClampedArray(4 * 128 * 128), width: 128, height: 128 }).ok, false);
	assert.equal(decode({ data: new Uint8ClampedArray(4 * 32 * 32), width: 32, height: 32 }).ok, false);
});
