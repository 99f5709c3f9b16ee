/**
 * The official vectors against the page's modules. The functions close over nothing, so that the
 * same text runs in node and, sent there as text, in a browser.
 */
import { readFileSync } from 'node:fs';

const read = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url)));
export const SFRAME = read('sframe-test-vectors.json');
export const HPKE = read('hpke-p256-test-vectors.json');

/** RFC 9605: every header, and cipher suite 4. @returns {Promise<number>} checks made */
export async function checkSframe(sframe, vectors) {
	const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
	const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
	let checks = 0;
	for (const { kid, ctr, encoded } of vectors.header) {
		const parsed = sframe.parseHeader(unhex(encoded));
		/* Numbers above 2^53 lost their last bits in JSON: compare them as it rounds them. */
		if (Number(parsed.kid) !== kid || Number(parsed.ctr) !== ctr
			|| parsed.ciphertext.length !== 0) {
			throw new Error(`header ${encoded}`);
		}
		checks++;
	}
	for (const vector of vectors.sframe.filter(({ cipher_suite: suite }) => suite === 4)) {
		const key = await sframe.SframeKey.derive(BigInt(vector.kid), unhex(vector.base_key));
		const parsed = sframe.parseHeader(unhex(vector.ct));
		const plaintext = await key.open(parsed, unhex(vector.metadata));
		if (!same(plaintext, unhex(vector.pt))) {
			throw new Error('suite 4 plaintext');
		}
		for (const at of [0, vector.ct.length / 2 - 1]) {
			const broken = unhex(vector.ct);
			broken[at] ^= at === 0 ? 0x10 : 1;
			const opened = await Promise.resolve().then(() => key.open(sframe.parseHeader(broken),
				unhex(vector.metadata))).then(() => true, () => false);
			if (opened) {
				throw new Error('a broken seal opened');
			}
			checks++;
		}
		checks++;
	}
	return checks;
}

/** RFC 9180, mode Auth: the context, and every encryption. @returns {Promise<number>} */
export async function checkHpke(hpke, vectors) {
	const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
	const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
	const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-')
		.replaceAll('/', '_').replaceAll('=', '');
	const { subtle } = globalThis.crypto;
	let checks = 0;
	for (const vector of vectors.filter(({ mode }) => mode === 2)) {
		const recipientPublic = unhex(vector.pkRm);
		const recipient = await subtle.importKey('jwk', {
			kty: 'EC', crv: 'P-256', d: base64url(unhex(vector.skRm)),
			x: base64url(recipientPublic.subarray(1, 33)),
			y: base64url(recipientPublic.subarray(33)),
		}, { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
		const parts = {
			recipient, recipientPublic, senderPublic: unhex(vector.pkSm), enc: unhex(vector.enc),
			info: unhex(vector.info),
		};
		const { key, nonce } = await hpke.contextAuth(parts);
		if (!same(key, unhex(vector.key)) || !same(nonce, unhex(vector.base_nonce))) {
			throw new Error('key schedule');
		}
		checks += 2;
		const first = vector.encryptions[0];
		const plaintext = await hpke.openAuth({
			...parts, aad: unhex(first.aad), ciphertext: unhex(first.ct),
		});
		if (!same(plaintext, unhex(first.pt))) {
			throw new Error('plaintext');
		}
		const other = { ...parts, info: unhex('00'), aad: unhex(first.aad) };
		const opened = await hpke.openAuth({ ...other, ciphertext: unhex(first.ct) })
			.then(() => true, () => false);
		if (opened) {
			throw new Error('opened with another info');
		}
		checks += 2;
	}
	return checks;
}
