/**
 * Bytes: the cursors that every message is read and written with, and the few encodings we use.
 * A step past the end, or bytes left over, throws Malformed; nothing is ever read leniently.
 */

export class Malformed extends Error {}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param {string} text */
export const utf8 = (text) => encoder.encode(text);

/** @param {...Uint8Array} parts */
export function concat(...parts) {
	const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}

/** @param {Uint8Array} a @param {Uint8Array} b */
export function equal(a, b) {
	if (a.length !== b.length) {
		return false;
	}
	let difference = 0;
	for (let i = 0; i < a.length; i++) {
		difference |= a[i] ^ b[i];
	}
	return difference === 0;
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of hex(). @param {string} text */
export function fromHex(text) {
	return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/**
 * Base64url without padding, in its one canonical spelling.
 * @param {string} text
 */
export function fromBase64url(text) {
	if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
		throw new Malformed('not base64url');
	}
	const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
	const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
	if (toBase64url(bytes) !== text) {
		throw new Malformed('not canonical base64url');
	}
	return bytes;
}

/** @param {Uint8Array} bytes */
export function toBase64url(bytes) {
	return btoa(String.fromCharCode(...bytes))
		.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Reads one message, front to back. Byte fields are views of the input. */
export class Reader {
	#bytes;
	#view;
	#at = 0;

	/** @param {Uint8Array} bytes */
	constructor(bytes) {
		this.#bytes = bytes;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	/** @param {number} size */
	#step(size) {
		const at = this.#at;
		if (size > this.#bytes.length - at) {
			throw new Malformed('message too short');
		}
		this.#at = at + size;
		return at;
	}

	get left() {
		return this.#bytes.length - this.#at;
	}

	u8() {
		return this.#view.getUint8(this.#step(1));
	}

	u16() {
		return this.#view.getUint16(this.#step(2));
	}

	u32() {
		return this.#view.getUint32(this.#step(4));
	}

	/** A time in µs: a number, since 2^53 µs are 285 years. */
	time() {
		const value = this.#view.getBigUint64(this.#step(8));
		if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
			throw new Malformed('time out of range');
		}
		return Number(value);
	}

	/** @param {number} size */
	bytes(size) {
		const at = this.#step(size);
		return this.#bytes.subarray(at, at + size);
	}

	/** A name: 1 to 64 bytes of UTF-8 without control characters or outer spaces. */
	name() {
		const size = this.u8();
		const text = decode(this.bytes(size));
		if (!nameOk(text)) {
			throw new Malformed('bad name');
		}
		return text;
	}

	/** What may be a name, or empty. */
	text() {
		if (this.#bytes[this.#at] === 0) {
			this.u8();
			return '';
		}
		return this.name();
	}

	end() {
		if (this.left !== 0) {
			throw new Malformed('message too long');
		}
	}
}

/** @param {Uint8Array} bytes */
function decode(bytes) {
	try {
		return decoder.decode(bytes);
	} catch {
		throw new Malformed('not UTF-8');
	}
}

/** @param {string} text */
export function nameOk(text) {
	const size = utf8(text).length;
	return size >= 1 && size <= 64 && !/[\u0000-\u001f\u007f-\u009f]/.test(text)
		&& !text.startsWith(' ') && !text.endsWith(' ');
}

/** Collects one message. */
export class Writer {
	/** @type {Uint8Array[]} */
	#parts = [];

	/** @param {number} size @param {(view: DataView) => void} set */
	#fixed(size, set) {
		const part = new Uint8Array(size);
		set(new DataView(part.buffer));
		this.#parts.push(part);
		return this;
	}

	/** @param {number} value */
	u8(value) {
		return this.#fixed(1, (view) => view.setUint8(0, value));
	}

	/** @param {number} value */
	u16(value) {
		return this.#fixed(2, (view) => view.setUint16(0, value));
	}

	/** @param {number} value */
	u32(value) {
		return this.#fixed(4, (view) => view.setUint32(0, value));
	}

	/** @param {bigint} value */
	u64(value) {
		return this.#fixed(8, (view) => view.setBigUint64(0, value));
	}

	/** @param {Uint8Array} bytes */
	bytes(bytes) {
		this.#parts.push(bytes);
		return this;
	}

	/** @param {string} text at most 255 bytes */
	str(text) {
		const bytes = utf8(text);
		if (bytes.length > 255) {
			throw new Malformed('text too long');
		}
		return this.u8(bytes.length).bytes(bytes);
	}

	done() {
		return concat(...this.#parts);
	}
}
