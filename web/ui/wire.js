/**
 * Every byte layout between this display and the hub, as PROTOCOL.md tells it.
 * Parsers throw Malformed; their byte fields are views of the input. Encoders return new bytes.
 */
import { Malformed, Reader, Writer, concat, fromBase64url, utf8 } from './bytes.js';

export const VERSION = 1;
export const SUBPROTOCOL = 'camgate.v1';
export const SIGNATURE_BYTES = 64;
export const FRAME_HEADER_BYTES = 34;
export const FRAME_MAX_BYTES = 8 << 20;
export const PIECE_MAX_BYTES = 16352;
export const STREAMS_MAX = 64;

export const Type = Object.freeze({
	CHUNK: 0x01, ABORT: 0x02, ACK: 0x03, PULSE: 0x04,
	CHALLENGE: 0x10, LOGIN: 0x11, PAIR: 0x12, HUB: 0x20, DISPLAY: 0x21,
});
export const Hub = Object.freeze({
	WELCOME: 1, CAMERA: 2, CAMERA_GONE: 3, KEY: 4, ENDED: 5, NEW_CAMERA: 6, NEW_CAMERA_GONE: 7,
	SCREEN: 8,
});
export const Say = Object.freeze({
	WATCH: 1, UNWATCH: 2, TIME: 3, REPORT: 4, KEY_ACK: 5, SHARE: 6, DECIDE: 7, PREVIEW: 8,
});
export const Purpose = Object.freeze({ WATCH: 1, NEXT: 2, BREAK: 3, TIME: 4 });
export const End = Object.freeze({
	NOT_SHARED: 1, OFFLINE: 2, REFUSED: 3, REPLACED: 4, NO_RECORD: 5, PREVIEW_OVER: 6,
});
export const Decision = Object.freeze({ IGNORE: 1, CONFIRM: 2, NOBODY: 3 });
export const Outcome = Object.freeze({ DRAWN: 1, LATE: 2, HIDDEN: 3, REFUSED: 4 });
export const Anomaly = Object.freeze({
	NONE: 0, FOREIGN_CAMERA: 1, UNKNOWN_EPOCH: 2, COUNTER: 3, UNSEAL: 4, KEY: 5, PICTURE: 6,
});
export const Close = Object.freeze({ REFUSED: 4000, BUSY: 4001 });

/** @param {boolean} ok @param {string} what */
function must(ok, what) {
	if (!ok) {
		throw new Malformed(what);
	}
}

/* ---- pairing and login ---- */

/** @param {Uint8Array} data */
export function parseChallenge(data) {
	const r = new Reader(data);
	must(r.u8() === Type.CHALLENGE, 'not a challenge');
	const challenge = {
		versionMin: r.u8(), versionMax: r.u8(), session: r.bytes(16), nonce: r.bytes(32),
		hubPublic: r.bytes(65), raw: data,
	};
	r.end();
	return challenge;
}

/**
 * The text after "#pair=" of a link.
 * @param {string} text
 */
export function parseLink(text) {
	const r = new Reader(fromBase64url(text));
	const flags = r.u8();
	must((flags & ~1) === 0, 'unknown link flags');
	const link = {
		owner: flags === 1, id: r.bytes(8), secret: r.bytes(16), fingerprint: r.bytes(32),
	};
	r.end();
	return link;
}

/**
 * What the transcript T is the hash of.
 * @param {{challenge: Uint8Array, origin: string, displayId: Uint8Array, nonce: Uint8Array}} t
 */
export function transcriptBytes({ challenge, origin, displayId, nonce }) {
	return new Writer().bytes(utf8('camgate transcript v1')).u8(VERSION).bytes(challenge)
		.str(origin).bytes(displayId).bytes(nonce).done();
}

/** @param {{displayId: Uint8Array, nonce: Uint8Array, signature: Uint8Array}} m */
export function encodeLogin({ displayId, nonce, signature }) {
	return new Writer().u8(Type.LOGIN).u8(VERSION).bytes(displayId).bytes(nonce)
		.bytes(signature).done();
}

/**
 * @param {{linkId: Uint8Array, signPublic: Uint8Array, kemPublic: Uint8Array,
 *     nonce: Uint8Array, name: string, proof: Uint8Array, signature: Uint8Array}} m
 */
export function encodePair({ linkId, signPublic, kemPublic, nonce, name, proof, signature }) {
	return new Writer().u8(Type.PAIR).u8(VERSION).bytes(linkId).bytes(signPublic)
		.bytes(kemPublic).bytes(nonce).str(name).bytes(proof).bytes(signature).done();
}

/* ---- signed messages ---- */

/**
 * A DISPLAY message without its signature.
 * @param {Uint8Array} session @param {number} counter @param {number} kind
 * @param {Uint8Array} body
 */
export function encodeSigned(session, counter, kind, body) {
	return new Writer().u8(Type.DISPLAY).bytes(session).u32(counter).u8(kind).bytes(body).done();
}

/** @param {Uint8Array} data */
export function parseSigned(data) {
	const r = new Reader(data);
	must(r.u8() === Type.HUB, 'not a message of the hub');
	const session = r.bytes(16);
	const counter = r.u32();
	const kind = r.u8();
	must(r.left >= SIGNATURE_BYTES, 'message too short');
	const body = r.bytes(r.left - SIGNATURE_BYTES);
	const signed = data.subarray(0, data.length - SIGNATURE_BYTES);
	return { session, counter, kind, body, signed, signature: r.bytes(SIGNATURE_BYTES) };
}

/** @param {Uint8Array} body */
export function parseWelcome(body) {
	const r = new Reader(body);
	const welcome = {
		transcript: r.bytes(32), home: r.bytes(16), displayId: r.bytes(32),
		owner: (r.u8() & 1) === 1, name: r.name(), cameras: r.u16(),
	};
	r.end();
	return welcome;
}

/**
 * @typedef {object} Camera
 * @property {Uint8Array} id
 * @property {boolean} ready
 * @property {boolean} test a test picture and no camera
 * @property {boolean} slow less than one frame per second
 * @property {boolean} failing it gives nothing that can be shown
 * @property {boolean} preview ours to look at for a while, and nobody's yet
 * @property {number} strength
 * @property {Uint8Array} generation
 * @property {Uint8Array} kemPublic
 * @property {number} intervalUs
 * @property {number} largest largest frame in bytes
 * @property {string} name
 */

/** @param {Uint8Array} body @returns {Camera} */
export function parseCamera(body) {
	const r = new Reader(body);
	const id = r.bytes(16);
	const state = r.u8();
	const flags = r.u8();
	must(state <= 1 && (flags & ~15) === 0, 'unknown camera state');
	const camera = {
		id, ready: state === 1, test: (flags & 1) !== 0, slow: (flags & 2) !== 0,
		failing: (flags & 4) !== 0, preview: (flags & 8) !== 0,
		strength: r.u8(), generation: r.bytes(16), kemPublic: r.bytes(65), intervalUs: r.u32(),
		largest: r.u32(), name: r.name(),
	};
	r.end();
	return camera;
}

/** @param {Uint8Array} body */
export function parseCameraGone(body) {
	const r = new Reader(body);
	const gone = { id: r.bytes(16), reason: r.u8() };
	r.end();
	return gone;
}

/**
 * @typedef {object} Key
 * @property {number} stream
 * @property {Uint8Array} camera
 * @property {Uint8Array} generation
 * @property {number} epoch
 * @property {number} purpose
 * @property {Uint8Array} enc
 * @property {Uint8Array} wrapped
 */

/** @param {Uint8Array} body @returns {Key} */
export function parseKey(body) {
	const r = new Reader(body);
	const stream = r.u16();
	const camera = r.bytes(16);
	const generation = r.bytes(16);
	const epoch = r.u32();
	const purpose = r.u8();
	must(purpose >= Purpose.WATCH && purpose <= Purpose.TIME, 'unknown purpose');
	const enc = r.bytes(65);
	const clocked = purpose === Purpose.WATCH || purpose === Purpose.TIME;
	const wrapped = r.bytes(clocked ? 56 : 32);
	r.end();
	return { stream, camera, generation, epoch, purpose, enc, wrapped };
}

/** @param {Uint8Array} body */
export function parseEnded(body) {
	const r = new Reader(body);
	const ended = { stream: r.u16(), camera: r.bytes(16), reason: r.u8() };
	r.end();
	return ended;
}

/** @param {{stream: number, camera: Uint8Array, rendition: number, nonce: Uint8Array}} m */
export function encodeWatch({ stream, camera, rendition, nonce }) {
	return new Writer().u16(stream).bytes(camera).u8(rendition).bytes(nonce).done();
}

/**
 * @typedef {object} Totals what a display attests when it stops watching
 * @property {number} received
 * @property {number} drawn
 * @property {number} late
 * @property {number} hidden
 * @property {number} refused
 * @property {number} worstAgeMs
 */

/** @param {number} stream @param {Totals} totals */
export function encodeUnwatch(stream, totals) {
	return new Writer().u16(stream).u32(totals.received).u32(totals.drawn).u32(totals.late)
		.u32(totals.hidden).u32(totals.refused).u32(totals.worstAgeMs).done();
}

/** @param {number} stream @param {Uint8Array} nonce */
export function encodeTime(stream, nonce) {
	return new Writer().u16(stream).bytes(nonce).done();
}

/**
 * @param {{stream: number, camera: Uint8Array, generation: Uint8Array, reason: number,
 *     epoch: number, counter: bigint}} m
 */
export function encodeReport({ stream, camera, generation, reason, epoch, counter }) {
	return new Writer().u16(stream).bytes(camera).bytes(generation).u8(reason).u32(epoch)
		.u64(counter).done();
}

/** @param {number} stream @param {number} epoch */
export function encodeKeyAck(stream, epoch) {
	return new Writer().u16(stream).u32(epoch).done();
}

/* ---- cameras that no owner has decided about ---- */

/** @param {Uint8Array} body */
export function parseNewCamera(body) {
	const r = new Reader(body);
	const id = r.bytes(16);
	const strength = r.u8();
	const flags = r.u8();
	must(strength <= 3 && flags <= 1, 'unknown kind of new camera');
	const camera = { id, strength, quarantined: flags === 1, name: r.name(), about: r.text() };
	r.end();
	return camera;
}

/** @param {Uint8Array} body */
export function parseNewCameraGone(body) {
	const r = new Reader(body);
	const id = r.bytes(16);
	r.end();
	return id;
}

/** @param {Uint8Array} body */
export function parseScreen(body) {
	const r = new Reader(body);
	const display = r.bytes(32);
	const state = r.u8();
	must(state <= 1, 'unknown display state');
	const screen = { display, paired: state === 1, name: r.name() };
	r.end();
	return screen;
}

/** @param {Uint8Array} camera @param {Uint8Array} display */
export function encodeShare(camera, display) {
	return new Writer().bytes(camera).bytes(display).done();
}

/** @param {Uint8Array} camera @param {number} decision of Decision */
export function encodeDecide(camera, decision) {
	return new Writer().bytes(camera).u8(decision).done();
}

/** @param {Uint8Array} camera @param {boolean} on */
export function encodePreview(camera, on) {
	return new Writer().bytes(camera).u8(on ? 1 : 0).done();
}

/**
 * HPKE info of a wrapped epoch key.
 * @param {{home: Uint8Array, camera: Uint8Array, generation: Uint8Array,
 *     displayId: Uint8Array, session: Uint8Array, epoch: number, purpose: number}} c
 */
export function wrapInfo({ home, camera, generation, displayId, session, epoch, purpose }) {
	return new Writer().bytes(utf8('camgate epoch key v1')).bytes(home).bytes(camera)
		.bytes(generation).bytes(displayId).bytes(session).u32(epoch).u8(purpose).done();
}

/**
 * What is inside a wrapped key.
 * @param {number} purpose @param {Uint8Array} plaintext
 */
export function parseWrapped(purpose, plaintext) {
	const r = new Reader(plaintext);
	const key = r.bytes(16);
	const clocked = purpose === Purpose.WATCH || purpose === Purpose.TIME;
	const answer = clocked ? { nonce: r.bytes(16), clockUs: r.time() } : null;
	r.end();
	return { key, answer };
}

/* ---- frames and flow ---- */

/**
 * The clear header of a frame; what follows it is the SFrame.
 * @param {Uint8Array} data
 */
export function parseFrameHeader(data) {
	const r = new Reader(data);
	return {
		camera: r.bytes(16), rendition: r.u8(), flags: r.u8(), width: r.u16(), height: r.u16(),
		epoch: r.u32(), captureUs: r.time(),
	};
}

/** @param {Uint8Array} home @param {Uint8Array} generation @param {Uint8Array} header */
export function frameMetadata(home, generation, header) {
	return concat(utf8('camgate frame v1'), home, generation, header);
}

/** @param {Uint8Array} data */
export function parseChunk(data) {
	const r = new Reader(data);
	must(r.u8() === Type.CHUNK && r.u8() === 0, 'not a chunk');
	const stream = r.u16();
	const frame = r.u32();
	const offset = r.u32();
	const total = r.u32();
	must(r.left >= 1 && r.left <= PIECE_MAX_BYTES, 'bad piece');
	must(offset + r.left <= total, 'piece beyond its frame');
	return { stream, frame, offset, total, piece: r.bytes(r.left) };
}

/** @param {Uint8Array} data */
export function parseAbort(data) {
	const r = new Reader(data);
	must(r.u8() === Type.ABORT && r.u8() === 0, 'not an abort');
	const abort = { stream: r.u16(), frame: r.u32() };
	r.end();
	return abort;
}

/**
 * @param {{outcome: number, stream: number, frame: number, ageMs: number | null,
 *     reason: number}} m
 */
export function encodeAck({ outcome, stream, frame, ageMs, reason }) {
	const age = ageMs === null ? 65535 : Math.min(65534, Math.max(0, Math.round(ageMs)));
	return new Writer().u8(Type.ACK).u8(outcome).u16(stream).u32(frame).u16(age).u8(reason)
		.done();
}

export function encodePulse() {
	return new Uint8Array([Type.PULSE]);
}
