/**
 * Proving who we are and checking who the hub is, and the signed messages after it, both ways.
 * Nothing here does I/O or keeps time.
 */
import { Malformed, Writer, concat, equal, utf8 } from './bytes.js';
import { sha256 } from './keys.js';
import { encodeLogin, encodePair, encodeSigned, parseSigned, transcriptBytes } from './wire.js';

const ECDSA = { name: 'ECDSA', hash: 'SHA-256' };
const MESSAGE_LABEL = utf8('camgate message v1');
/** @type {any} */
const subtle = globalThis.crypto.subtle;

/** @typedef {import('./keys.js').Identity} Identity */
/** @typedef {ReturnType<typeof import('./wire.js').parseChallenge>} Challenge */
/** @typedef {ReturnType<typeof import('./wire.js').parseLink>} Link */

/** @param {Identity} identity @param {Uint8Array} data */
async function sign(identity, data) {
	return new Uint8Array(await subtle.sign(ECDSA, identity.signing, data));
}

/** @param {Identity} identity @param {Challenge} challenge @param {string} origin */
async function transcript(identity, challenge, origin) {
	const nonce = crypto.getRandomValues(new Uint8Array(32));
	const { displayId } = identity;
	const T = await sha256(transcriptBytes({
		challenge: challenge.raw, origin, displayId, nonce,
	}));
	return { nonce, T };
}

/**
 * @param {Identity} identity @param {Challenge} challenge @param {string} origin
 * @returns {Promise<{T: Uint8Array, message: Uint8Array}>}
 */
export async function makeLogin(identity, challenge, origin) {
	const { nonce, T } = await transcript(identity, challenge, origin);
	const signature = await sign(identity, concat(utf8('camgate login v1'), T));
	return { T, message: encodeLogin({ displayId: identity.displayId, nonce, signature }) };
}

/**
 * @param {Identity} identity @param {Challenge} challenge @param {string} origin
 * @param {Link} link @param {string} name
 * @returns {Promise<{T: Uint8Array, message: Uint8Array}>}
 */
export async function makePair(identity, challenge, origin, link, name) {
	const { nonce, T } = await transcript(identity, challenge, origin);
	const label = utf8('camgate pair v1');
	const secret = await subtle.importKey('raw', link.secret, { name: 'HMAC', hash: 'SHA-256' },
		false, ['sign']);
	const proof = new Uint8Array(await subtle.sign('HMAC', secret, concat(label, T)));
	const named = new Writer().str(name).done();
	const signature = await sign(identity, concat(label, T, proof, named));
	const { signPublic, kemPublic } = identity;
	const message = encodePair({
		linkId: link.id, signPublic, kemPublic, nonce, name, proof, signature,
	});
	return { T, message };
}

/** The hub's signed messages of one session, in order and without gaps, or Malformed. */
export class HubVoice {
	#session;
	#key;
	#next = 0;

	/** @param {Uint8Array} session @param {CryptoKey} key */
	constructor(session, key) {
		this.#session = session;
		this.#key = key;
	}

	/** @param {Challenge} challenge */
	static async create(challenge) {
		const key = await subtle.importKey('raw', challenge.hubPublic,
			{ name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
		return new HubVoice(challenge.session, key);
	}

	/** @param {Uint8Array} data @returns {Promise<{kind: number, body: Uint8Array}>} */
	async hear(data) {
		const { session, counter, kind, body, signed, signature } = parseSigned(data);
		if (!equal(session, this.#session)) {
			throw new Malformed('message of another session');
		}
		if (counter !== this.#next) {
			throw new Malformed(`message ${counter} where ${this.#next} was due`);
		}
		this.#next++;
		if (!await subtle.verify(ECDSA, this.#key, signature, concat(MESSAGE_LABEL, signed))) {
			throw new Malformed('message not signed by the hub');
		}
		return { kind, body };
	}
}

/** Our signed messages of one session. Signing takes a moment; the order of saying is kept. */
export class OwnVoice {
	#session;
	#identity;
	#send;
	#next = 0;
	/** @type {Promise<void>} */
	#last = Promise.resolve();

	/**
	 * @param {Uint8Array} session @param {Identity} identity
	 * @param {(message: Uint8Array) => void} send
	 */
	constructor(session, identity, send) {
		this.#session = session;
		this.#identity = identity;
		this.#send = send;
	}

	/** @param {number} kind @param {Uint8Array} body @returns {Promise<void>} when it was sent */
	say(kind, body) {
		const message = encodeSigned(this.#session, this.#next++, kind, body);
		const signature = sign(this.#identity, concat(MESSAGE_LABEL, message));
		this.#last = this.#last.then(async () => this.#send(concat(message, await signature)));
		return this.#last;
	}
}
