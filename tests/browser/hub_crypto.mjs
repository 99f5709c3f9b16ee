/**
 * The hub's half of the cryptography, written from the RFCs and apart from the page's modules, so
 * that the two check each other.
 */
import { createCipheriv, createECDH, createHash, createHmac, hkdfSync, sign,
	verify } from 'node:crypto';

export const sha256 = (...parts) => {
	const hash = createHash('sha256');
	parts.forEach((part) => hash.update(part));
	return hash.digest();
};
export const hmac = (key, ...parts) => {
	const mac = createHmac('sha256', key);
	parts.forEach((part) => mac.update(part));
	return mac.digest();
};

const u16 = (value) => Buffer.from([value >> 8, value & 255]);
const text = (value) => Buffer.from(value);

/** ECDSA over P-256 with r || s signatures. */
export const signRaw = (privateKey, data) =>
	sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
export const verifyRaw = (publicKey, data, signature) =>
	verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);

/** A P-256 public key of node from its uncompressed point. */
export function pointToJwk(point) {
	const coordinate = (at) => Buffer.from(point.subarray(at, at + 32)).toString('base64url');
	return { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) };
}

/* ---- HPKE, mode Auth, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM ---- */

const KEM = Buffer.concat([text('KEM'), u16(0x10)]);
const HPKE = Buffer.concat([text('HPKE'), u16(0x10), u16(1), u16(1)]);

const extract = (suite, salt, label, ikm) => hmac(salt, 'HPKE-v1', suite, label, ikm);
const expand = (suite, prk, label, info, size) =>
	hmac(prk, u16(size), 'HPKE-v1', suite, label, info, Buffer.from([1])).subarray(0, size);

/**
 * @param {import('node:crypto').ECDH} sender @param {Buffer} recipientPublic
 * @param {Buffer} info @param {Buffer} plaintext
 */
export function hpkeSealAuth(sender, recipientPublic, info, plaintext) {
	const ephemeral = createECDH('prime256v1');
	const enc = ephemeral.generateKeys();
	const dh = Buffer.concat([ephemeral.computeSecret(recipientPublic),
		sender.computeSecret(recipientPublic)]);
	const eae = extract(KEM, '', 'eae_prk', dh);
	const shared = expand(KEM, eae, 'shared_secret',
		Buffer.concat([enc, recipientPublic, sender.getPublicKey()]), 32);
	const schedule = Buffer.concat([Buffer.from([2]), extract(HPKE, '', 'psk_id_hash', ''),
		extract(HPKE, '', 'info_hash', info)]);
	const secret = extract(HPKE, shared, 'secret', '');
	const key = expand(HPKE, secret, 'key', schedule, 16);
	const nonce = expand(HPKE, secret, 'base_nonce', schedule, 12);
	const cipher = createCipheriv('aes-128-gcm', key, nonce);
	const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
	return { enc, wrapped: Buffer.concat([sealed, cipher.getAuthTag()]) };
}

/* ---- SFrame, cipher suite 4 ---- */

function sframeInteger(value) {
	if (value < 8) {
		return { bits: value, bytes: Buffer.alloc(0) };
	}
	const digits = value.toString(16);
	const bytes = Buffer.from(digits.padStart(digits.length + (digits.length & 1), '0'), 'hex');
	return { bits: 8 | (bytes.length - 1), bytes };
}

export function sframeHeader(kid, ctr) {
	const k = sframeInteger(kid);
	const c = sframeInteger(ctr);
	return Buffer.concat([Buffer.from([(k.bits << 4) | c.bits]), k.bytes, c.bytes]);
}

/** A header that says the same in more bytes than it needs. For KIDs below 8. */
export function longHeader(kid, ctr) {
	const short = sframeHeader(kid, ctr);
	return Buffer.concat([Buffer.from([0x80 | (short[0] & 15), kid]), short.subarray(1)]);
}

export function sframeSeal(baseKey, kid, ctr, metadata, plaintext, shownKid = kid,
	encode = sframeHeader) {
	const kidAndSuite = Buffer.alloc(10);
	kidAndSuite.writeBigUInt64BE(BigInt(kid));
	kidAndSuite.writeUInt16BE(4, 8);
	const derive = (purpose, size) => Buffer.from(hkdfSync('sha256', baseKey, Buffer.alloc(0),
		Buffer.concat([text(`SFrame 1.0 Secret ${purpose} `), kidAndSuite]), size));
	const nonce = derive('salt', 12);
	const counter = Buffer.alloc(12);
	counter.writeBigUInt64BE(BigInt(ctr), 4);
	nonce.forEach((byte, at) => {
		nonce[at] = byte ^ counter[at];
	});
	const header = encode(shownKid, ctr);
	const cipher = createCipheriv('aes-128-gcm', derive('key', 16), nonce);
	cipher.setAAD(Buffer.concat([header, metadata]));
	const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
	return Buffer.concat([header, sealed, cipher.getAuthTag()]);
}
