/**
 * Opening HPKE (RFC 9180) in mode Auth with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM:
 * the one suite, the one mode, one message per context. This display never seals.
 */
import { concat, utf8 } from './bytes.js';

const MODE_AUTH = 2;
const HASH_BYTES = 32;
const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const KEM_SUITE = concat(utf8('KEM'), new Uint8Array([0x00, 0x10]));
const HPKE_SUITE = concat(utf8('HPKE'), new Uint8Array([0x00, 0x10, 0x00, 0x01, 0x00, 0x01]));
const EMPTY = new Uint8Array(0);
/** @type {any} */
const subtle = globalThis.crypto.subtle;

/** @param {Uint8Array} key @param {Uint8Array} data */
async function hmac(key, data) {
	/* WebCrypto refuses an empty HMAC key; a block of zeroes is the same key (RFC 2104). */
	const raw = key.length === 0 ? new Uint8Array(HASH_BYTES) : key;
	const imported = await subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' },
		false, ['sign']);
	return new Uint8Array(await subtle.sign('HMAC', imported, data));
}

/**
 * LabeledExtract (section 4).
 * @param {Uint8Array} suite @param {Uint8Array} salt @param {string} label
 * @param {Uint8Array} ikm
 */
function extract(suite, salt, label, ikm) {
	return hmac(salt, concat(utf8('HPKE-v1'), suite, utf8(label), ikm));
}

/**
 * LabeledExpand (section 4), of at most one hash.
 * @param {Uint8Array} suite @param {Uint8Array} prk @param {string} label
 * @param {Uint8Array} info @param {number} size
 */
async function expand(suite, prk, label, info, size) {
	const length = new Uint8Array([size >> 8, size & 255]);
	const block = await hmac(prk, concat(length, utf8('HPKE-v1'), suite, utf8(label), info,
		new Uint8Array([1])));
	return block.subarray(0, size);
}

/** @param {CryptoKey} own @param {Uint8Array} peer a public key; rejects one off the curve */
async function agree(own, peer) {
	const imported = await subtle.importKey('raw', peer, { name: 'ECDH', namedCurve: 'P-256' },
		false, []);
	return new Uint8Array(await subtle.deriveBits({ name: 'ECDH', public: imported }, own, 256));
}

/**
 * The context of a sealed message: AuthDecap and KeySchedule (sections 4.1 and 5.1).
 * @param {{recipient: CryptoKey, recipientPublic: Uint8Array, senderPublic: Uint8Array,
 *     enc: Uint8Array, info: Uint8Array}} c
 */
export async function contextAuth({ recipient, recipientPublic, senderPublic, enc, info }) {
	const dh = concat(await agree(recipient, enc), await agree(recipient, senderPublic));
	const eae = await extract(KEM_SUITE, EMPTY, 'eae_prk', dh);
	const shared = await expand(KEM_SUITE, eae, 'shared_secret',
		concat(enc, recipientPublic, senderPublic), HASH_BYTES);
	const pskIdHash = await extract(HPKE_SUITE, EMPTY, 'psk_id_hash', EMPTY);
	const infoHash = await extract(HPKE_SUITE, EMPTY, 'info_hash', info);
	const schedule = concat(new Uint8Array([MODE_AUTH]), pskIdHash, infoHash);
	const secret = await extract(HPKE_SUITE, shared, 'secret', EMPTY);
	return {
		key: await expand(HPKE_SUITE, secret, 'key', schedule, KEY_BYTES),
		nonce: await expand(HPKE_SUITE, secret, 'base_nonce', schedule, NONCE_BYTES),
	};
}

/**
 * @param {{recipient: CryptoKey, recipientPublic: Uint8Array, senderPublic: Uint8Array,
 *     enc: Uint8Array, info: Uint8Array, ciphertext: Uint8Array, aad?: Uint8Array}} sealed
 * @returns {Promise<Uint8Array>} rejects when it does not open
 */
export async function openAuth(sealed) {
	const { key, nonce } = await contextAuth(sealed);
	const imported = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
	key.fill(0);
	return new Uint8Array(await subtle.decrypt(
		{ name: 'AES-GCM', iv: nonce, additionalData: sealed.aad ?? EMPTY, tagLength: 128 },
		imported, sealed.ciphertext));
}
