/**
 * Reads back what a test camera drew, from the pixels of a canvas: the twin of opix.c, see there and
 * v4l2/pattern.h for the layout. Works in a browser and in Node.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Rectangle
 * @typedef {object} Opix
 * @property {boolean} ok all tiles are whole and agree (at least one was looked at)
 * @property {number} tag of the camera
 * @property {number} number of the frame, modulo 2^24
 * @property {number} captureMs CLOCK_BOOTTIME of the hub, modulo 2^40
 * @property {number} tiles looked at
 * @property {number} badTiles unreadable or with a wrong checksum
 * @property {number} foreignTiles of another camera than the first
 * @property {number} mixedTiles of the same camera, but of another frame or another place
 */

const TILE = 64;
const CELL = 8;
const MARGIN = 2;
const LEVELS = [72, 112, 152, 192];
const TOLERANCE = 14;

/** The mean luma of a cell's inner 4x4 pixels as a level 0..3, or -1. */
function cellLevel(image, left, top) {
	let sum = 0;
	for (let y = top + MARGIN; y < top + CELL - MARGIN; y++) {
		for (let x = left + MARGIN; x < left + CELL - MARGIN; x++) {
			const at = 4 * (y * image.width + x);
			sum += 0.299 * image.data[at] + 0.587 * image.data[at + 1] + 0.114 * image.data[at + 2];
		}
	}
	const mean = sum / (CELL - 2 * MARGIN) ** 2;
	return LEVELS.findIndex((level) => Math.abs(mean - level) <= TOLERANCE);
}

function crc16(bytes) {
	let crc = 0xffff;
	for (const byte of bytes) {
		crc ^= byte << 8;
		for (let bit = 0; bit < 8; bit++) {
			crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
		}
	}
	return crc;
}

/** Numbers of up to 40 bits: exact in a double, unlike with shifts. */
function integer(bytes) {
	return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** The code of one tile, or null. */
function readTile(image, left, top) {
	const bytes = new Uint8Array(16);
	for (let cell = 0; cell < 64; cell++) {
		const level = cellLevel(image, left + (cell % 8) * CELL, top + Math.floor(cell / 8) * CELL);
		if (level < 0) {
			return null;
		}
		bytes[cell >> 2] = (bytes[cell >> 2] << 2) | level;
	}
	if (crc16(bytes.subarray(0, 14)) !== integer(bytes.subarray(14))) {
		return null;
	}
	return {
		tag: integer(bytes.subarray(0, 4)),
		number: integer(bytes.subarray(4, 7)),
		captureMs: integer(bytes.subarray(7, 12)),
		index: integer(bytes.subarray(12, 14)),
	};
}

function overlaps(left, top, r) {
	return left < r.left + r.width && r.left < left + TILE && top < r.top + r.height && r.top < top + TILE;
}

/**
 * Decodes a picture drawn 1:1.
 *
 * @param {{data: ArrayLike<number>, width: number, height: number}} image RGBA, as getImageData gives it
 * @param {{ignore?: Rectangle | Rectangle[], left?: number, top?: number, width?: number, height?: number}}
 *   [options] ignore: tiles touched by these rectangles (a label) are not looked at, in pixels of the
 *   image; left, top, width, height: where in the image the picture is, default all of it
 * @returns {Opix}
 */
export function decode(image, options = {}) {
	const { left = 0, top = 0, width = image.width - left, height = image.height - top } = options;
	const ignored = [options.ignore ?? []].flat();
	const across = Math.floor(width / TILE);
	const down = Math.floor(height / TILE);
	const result = {
		ok: false, tag: 0, number: 0, captureMs: 0, tiles: 0, badTiles: 0, foreignTiles: 0, mixedTiles: 0,
	};
	let first = null;
	for (let index = 0; index < across * down; index++) {
		const x = left + (index % across) * TILE;
		const y = top + Math.floor(index / across) * TILE;
		if (ignored.some((rectangle) => overlaps(x, y, rectangle))) {
			continue;
		}
		result.tiles++;
		const code = readTile(image, x, y);
		first ??= code;
		if (code === null) {
			result.badTiles++;
		} else if (code.tag !== first.tag) {
			result.foreignTiles++;
		} else if (code.number !== first.number || code.captureMs !== first.captureMs || code.index !== index) {
			result.mixedTiles++;
		}
	}
	if (first !== null) {
		Object.assign(result, { tag: first.tag, number: first.number, captureMs: first.captureMs });
		result.ok = result.badTiles + result.foreignTiles + result.mixedTiles === 0;
	}
	return result;
}
