/**
 * The nine checks between a received frame and the screen, in the decided order (PROTOCOL.md,
 * "Checks"). Size was checked while the frame was put together, drawing is the tile's.
 */
import { Malformed, equal } from './bytes.js';
import { AGE_MIN_MS } from './freshness.js';
import { jpegSize } from './jpeg.js';
import { parseHeader } from './sframe.js';
import { Anomaly, FRAME_HEADER_BYTES, Outcome, frameMetadata, parseFrameHeader } from './wire.js';

/**
 * @typedef {object} Lens what one stream knows to check its frames against
 * @property {Uint8Array} home
 * @property {import('./wire.js').Camera} camera as it was when asked for
 * @property {import('./epochs.js').Epochs} epochs
 * @property {import('./epochs.js').HighWater} highWater
 * @property {import('./freshness.js').CameraClock} clock
 * @property {() => number} blankMs
 *
 * @typedef {object} Picture
 * @property {Uint8Array} jpeg
 * @property {number} width
 * @property {number} height
 * @property {number} captureUs
 * @property {number} ageMs
 * @property {boolean} frozen
 * @property {boolean} test
 *
 * @typedef {object} Verdict
 * @property {number} outcome DRAWN: may be drawn
 * @property {number} reason of a refusal
 * @property {number | null} ageMs
 * @property {number} epoch
 * @property {bigint} ctr
 * @property {Picture | null} picture
 */

class Refusal extends Error {
	/** @param {number} outcome @param {number} reason */
	constructor(outcome, reason = Anomaly.NONE) {
		super();
		this.outcome = outcome;
		this.reason = reason;
	}
}

/** @param {number} reason */
const refused = (reason) => new Refusal(Outcome.REFUSED, reason);
const late = () => new Refusal(Outcome.LATE);

/**
 * @param {Uint8Array} frame @param {Lens} lens @param {() => number} now
 * @returns {Promise<Verdict>}
 */
export async function checkFrame(frame, lens, now) {
	/** @type {Verdict} */
	const verdict = {
		outcome: Outcome.DRAWN, reason: Anomaly.NONE, ageMs: null, epoch: 0, ctr: 0n,
		picture: null,
	};
	try {
		await check(frame, lens, now, verdict);
	} catch (error) {
		if (!(error instanceof Refusal)) {
			throw error;
		}
		verdict.outcome = error.outcome;
		verdict.reason = error.reason;
		verdict.picture = null;
	}
	return verdict;
}

/**
 * @param {Uint8Array} frame @param {Lens} lens @param {() => number} now
 * @param {Verdict} verdict
 */
async function check(frame, lens, now, verdict) {
	const header = readHeader(frame);
	if (!equal(header.camera, lens.camera.id) || header.rendition !== 0) {
		throw refused(Anomaly.FOREIGN_CAMERA);
	}
	verdict.epoch = header.epoch;
	const key = lens.epochs.find(header.epoch, now());
	if (key === null) {
		throw lens.epochs.retired(header.epoch) ? late() : refused(Anomaly.UNKNOWN_EPOCH);
	}
	const sframe = readSframe(frame, header.epoch);
	verdict.ctr = sframe.ctr;
	const mark = lens.highWater.check(header.epoch, header.rendition, sframe.ctr, lens);
	if (mark !== 'above') {
		throw mark === 'seen' ? late() : refused(Anomaly.COUNTER);
	}
	const jpeg = await unseal(frame, sframe, key, lens);
	lens.highWater.raise(header.epoch, header.rendition, sframe.ctr, lens);
	lens.epochs.opened(header.epoch, now());
	verdict.ageMs = checkAge(header.captureUs, lens, now());
	const size = jpegSize(jpeg);
	if (size === null || size.width !== header.width || size.height !== header.height) {
		throw refused(Anomaly.PICTURE);
	}
	verdict.picture = {
		jpeg, width: header.width, height: header.height, captureUs: header.captureUs,
		ageMs: verdict.ageMs, frozen: (header.flags & 1) !== 0, test: (header.flags & 2) !== 0,
	};
}

/** @param {Uint8Array} frame */
function readHeader(frame) {
	try {
		return parseFrameHeader(frame);
	} catch (error) {
		throw error instanceof Malformed ? refused(Anomaly.FOREIGN_CAMERA) : error;
	}
}

/** @param {Uint8Array} frame @param {number} epoch */
function readSframe(frame, epoch) {
	let sframe;
	try {
		sframe = parseHeader(frame.subarray(FRAME_HEADER_BYTES));
	} catch (error) {
		throw error instanceof Malformed ? refused(Anomaly.UNSEAL) : error;
	}
	if (sframe.kid !== BigInt(epoch)) {
		throw refused(Anomaly.UNSEAL);
	}
	return sframe;
}

/**
 * @param {Uint8Array} frame @param {ReturnType<typeof parseHeader>} sframe
 * @param {import('./sframe.js').SframeKey} key @param {Lens} lens
 */
async function unseal(frame, sframe, key, lens) {
	const header = frame.subarray(0, FRAME_HEADER_BYTES);
	const metadata = frameMetadata(lens.home, lens.camera.generation, header);
	try {
		return await key.open(sframe, metadata);
	} catch {
		throw refused(Anomaly.UNSEAL);
	}
}

/** @param {number} captureUs @param {Lens} lens @param {number} now */
function checkAge(captureUs, lens, now) {
	const age = lens.clock.age(captureUs, now);
	if (age === null) {
		throw late(); /* the camera's clock is not known yet, or no more */
	}
	if (age < AGE_MIN_MS) {
		lens.clock.forget();
		throw refused(Anomaly.NONE);
	}
	if (age > lens.blankMs()) {
		throw late();
	}
	return age;
}
