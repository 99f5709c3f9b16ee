/**
 * Opening SFrame (RFC 9605), cipher suite 4, AES_128_GCM_SHA256_128. This display never seals.
 */
import { Malformed, Reader, concat, utf8 } from './bytes.js';

const SUITE = 4;
const KEY_BITS = 128;
const NONCE_BYTES = 12;
const TAG_BITS = 128;
/** @type {any} */
const subtle = globalThis.crypto.subtle;

/**
 * The header (section 4.3), refused unless every integer is in its shortest form.
 * @param {Uint8Array} data header and what follows it
 * @returns {{kid: bigint, ctr: bigint, header: Uint8Array, ciphertext: Uint8Array}}
 */
export function parseHeader(data) {
	const r = new Reader(data);
	const config = r.u8();
	const kid = readField(r, (config >> 4) & 15);
	const ctr = readField(r, config & 15);
	const size = data.length - r.left;
	return { kid, ctr, header: data.subarray(0, size), ciphertext: data.subarray(size) };
}

/**
 * Four bits: a value below 8, or with the top bit set the number of bytes that follow, less one.
 * @param {Reader} r @param {number} bits
 */
function readField(r, bits) {
	if (bits < 8) {
		return BigInt(bits);
	}
	const bytes = r.bytes((bits & 7) + 1);
	if (bytes[0] === 0 || (bytes.length === 1 && bytes[0] < 8)) {
		throw new Malformed('SFrame header not minimal');
	}
	return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** One epoch's key, derived once (section 4.4.2). The raw key is not kept. */
export class SframeKey {
	#kid;
	#key;
	#salt;

	/** @param {bigint} kid @param {CryptoKey} key @param {Uint8Array} salt */
	constructor(kid, key, salt) {
		this.#kid = kid;
		this.#key = key;
		this.#salt = salt;
	}

	/** @param {bigint} kid @param {Uint8Array} baseKey */
	static async derive(kid, baseKey) {
		const base = await subtle.importKey('raw', baseKey, 'HKDF', false,
			['deriveKey', 'deriveBits']);
		const hkdf = (/** @type {string} */ purpose) => ({
			name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: label(purpose, kid),
		});
		const key = await subtle.deriveKey(hkdf('key'), base,
			{ name: 'AES-GCM', length: KEY_BITS }, false, ['decrypt']);
		const salt = await subtle.deriveBits(hkdf('salt'), base, NONCE_BYTES * 8);
		return new SframeKey(kid, key, new Uint8Array(salt));
	}

	get kid() {
		return this.#kid;
	}

	/**
	 * @param {{ctr: bigint, header: Uint8Array, ciphertext: Uint8Array}} sframe
	 * @param {Uint8Array} metadata
	 * @returns {Promise<Uint8Array>} rejects when the seal does not open
	 */
	async open(sframe, metadata) {
		const iv = this.#salt.slice();
		let ctr = sframe.ctr;
		for (let i = NONCE_BYTES - 1; ctr > 0n; i--, ctr >>= 8n) {
			iv[i] ^= Number(ctr & 0xffn);
		}
		const additionalData = concat(sframe.header, metadata);
		return new Uint8Array(await subtle.decrypt(
			{ name: 'AES-GCM', iv, additionalData, tagLength: TAG_BITS },
			this.#key, sframe.ciphertext));
	}
}

/** @param {string} purpose @param {bigint} kid */
function label(purpose, kid) {
	const tail = new DataView(new ArrayBuffer(10));
	tail.setBigUint64(0, kid);
	tail.setUint16(8, SUITE);
	return concat(utf8(`SFrame 1.0 Secret ${purpose} `), new Uint8Array(tail.buffer));
}
