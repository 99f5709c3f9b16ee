/**
 * A JPEG of a test camera, made without a codec: every 8x8 block is flat, so only DC coefficients
 * are coded. The blocks spell the code that tests/opix reads back; the chroma tells cameras apart
 * for the human eye.
 */

const LEVELS = [72, 112, 152, 192];

/** @param {Uint8Array} bytes */
function crc16(bytes) {
	let crc = 0xffff;
	for (const byte of bytes) {
		crc ^= byte << 8;
		for (let bit = 0; bit < 8; bit++) {
			crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
		}
	}
	return crc;
}

/** The 64 levels of one tile. */
function tileLevels({ tag, number, captureMs }, index) {
	const bytes = new Uint8Array(16);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, tag);
	bytes.set([number >> 16 & 255, number >> 8 & 255, number & 255], 4);
	view.setUint8(7, Math.floor(captureMs / 2 ** 32) & 255);
	view.setUint32(8, captureMs % 2 ** 32);
	view.setUint16(12, index);
	view.setUint16(14, crc16(bytes.subarray(0, 14)));
	return Array.from({ length: 64 }, (_, cell) => (bytes[cell >> 2] >> (6 - 2 * (cell & 3))) & 3);
}

/** Collects bits, most significant first, with the byte stuffing of an entropy-coded segment. */
class Bits {
	#bytes = [];
	#held = 0;
	#count = 0;

	put(value, size) {
		for (let bit = size - 1; bit >= 0; bit--) {
			this.#held = (this.#held << 1) | ((value >> bit) & 1);
			if (++this.#count === 8) {
				this.#bytes.push(this.#held);
				if (this.#held === 0xff) {
					this.#bytes.push(0);
				}
				this.#held = 0;
				this.#count = 0;
			}
		}
	}

	done() {
		while (this.#count !== 0) {
			this.put(1, 1);
		}
		return this.#bytes;
	}
}

function segment(marker, ...content) {
	const size = content.length + 2;
	return [0xff, marker, size >> 8, size & 255, ...content];
}

function headers(width, height) {
	const components = [1, 2, 3];
	return [
		0xff, 0xd8,
		...segment(0xdb, 0, ...new Array(64).fill(8)),
		...segment(0xc0, 8, height >> 8, height & 255, width >> 8, width & 255, 3,
			...components.flatMap((id) => [id, 0x11, 0])),
		/* DC: nine categories, four bits each; AC: end of block only, one bit. */
		...segment(0xc4, 0x00, 0, 0, 0, 9, ...new Array(12).fill(0), 0, 1, 2, 3, 4, 5, 6, 7, 8),
		...segment(0xc4, 0x10, 1, ...new Array(15).fill(0), 0),
		...segment(0xda, 3, ...components.flatMap((id) => [id, 0x00]), 0, 63, 0),
	];
}

/**
 * @param {{width: number, height: number, tag: number, number: number, captureMs: number,
 *     chroma?: [number, number]}} picture
 * @returns {Uint8Array}
 */
export function opixJpeg({ width, height, chroma = [0, 0], ...code }) {
	const across = Math.floor(width / 64);
	const down = Math.floor(height / 64);
	const tiles = Array.from({ length: across * down }, (_, index) => tileLevels(code, index));
	const bits = new Bits();
	const last = [0, 0, 0];
	for (let y = 0; y < Math.ceil(height / 8); y++) {
		for (let x = 0; x < Math.ceil(width / 8); x++) {
			const inside = x < across * 8 && y < down * 8;
			const tile = tiles[(y >> 3) * across + (x >> 3)];
			const luma = inside ? LEVELS[tile[(y & 7) * 8 + (x & 7)]] : 40;
			[luma - 128, ...chroma].forEach((value, component) => {
				const difference = value - last[component];
				last[component] = value;
				const category = 32 - Math.clz32(Math.abs(difference));
				bits.put(category, 4);
				bits.put(difference < 0 ? difference + (1 << category) - 1 : difference, category);
				bits.put(0, 1);
			});
		}
	}
	return new Uint8Array([...headers(width, height), ...bits.done(), 0xff, 0xd9]);
}
