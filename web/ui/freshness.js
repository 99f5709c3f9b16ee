/**
 * How old is what the tile shows, and may it still be shown? Pure arithmetic over an injected
 * clock of monotonic milliseconds; ages come out too high rather than too low.
 */

const LIVE_MS = 2000;
const BLANK_MS = 5000;
const SLOW_INTERVAL_MS = 1000;
const ROUND_TRIP_MAX_MS = 1000;
const ASK_AGAIN_MS = 60_000;
const ANSWER_MS = 5000;
export const AGE_MIN_MS = -200;

/**
 * How long a picture counts as live and when it must be gone, for a camera of this interval.
 * @param {number} intervalUs
 */
export function limits(intervalUs) {
	const interval = intervalUs / 1000;
	return interval > SLOW_INTERVAL_MS
		? { liveMs: 2 * interval, blankMs: 5 * interval }
		: { liveMs: LIVE_MS, blankMs: BLANK_MS };
}

/** The camera's clock as seen from here, an upper bound of it. */
export class CameraClock {
	/** @type {number | null} camera time minus our time, ms, never too small */
	#ahead = null;
	#learnedAt = 0;
	#askedAt = -Infinity;
	/** @type {{nonce: string, at: number, times: number} | null} the open question, when it was
	 *     first asked (-Infinity: void) and how often */
	#open = null;
	/** The one before. Answers come in the order of the questions: earlier ones have none left. */
	#before = { nonce: '', answersLeft: 0 };

	/**
	 * The same question until it is answered: however far behind the hub is, and whichever of them
	 * it answers, there is only one to remember.
	 * @param {string} nonce for a new question @param {number} now when the request leaves, or a
	 *     little earlier
	 * @returns {string} the nonce to ask with
	 */
	asked(nonce, now) {
		this.#open ??= { nonce, at: now, times: 0 };
		this.#open.times++;
		this.#askedAt = now;
		return this.#open.nonce;
	}

	/**
	 * @param {string} nonce @param {number} clockUs @param {number} now
	 * @returns {boolean} false: an answer to no request of ours
	 */
	answered(nonce, clockUs, now) {
		if (this.#open?.nonce !== nonce) {
			return this.#before.nonce === nonce && this.#before.answersLeft-- > 0;
		}
		const { at: askedAt, times } = this.#open;
		this.#open = null;
		this.#before = { nonce, answersLeft: times - 1 };
		if (now - askedAt > ROUND_TRIP_MAX_MS) {
			this.#askedAt = -Infinity;
			return true;
		}
		/* Every answer bounds the clock from above: the tighter bound wins, until it is old
		 * enough for the clocks to have drifted apart. */
		const ahead = clockUs / 1000 - askedAt;
		const old = now - this.#learnedAt >= ASK_AGAIN_MS;
		if (this.#ahead === null || old || ahead < this.#ahead) {
			this.#ahead = ahead;
		}
		this.#learnedAt = now;
		return true;
	}

	/**
	 * After sleep, or when an age came out impossible: nothing is known until the next answer.
	 * Answers to what was asked before count no more: our clock may have stood still meanwhile.
	 */
	forget() {
		this.#ahead = null;
		this.#askedAt = -Infinity;
		if (this.#open !== null) {
			this.#open.at = -Infinity;
		}
	}

	/** Is it time to ask? @param {number} now */
	due(now) {
		const stale = this.#ahead === null || now - this.#learnedAt >= ASK_AGAIN_MS;
		return stale && now - this.#askedAt > ANSWER_MS;
	}

	/** @param {number} captureUs @param {number} now @returns {number | null} age in ms */
	age(captureUs, now) {
		return this.#ahead === null ? null : now + this.#ahead - captureUs / 1000;
	}
}

/** The picture on one tile: from when is it, and what may be said of it now. */
export class Freshness {
	/** @type {number | null} our time at which the picture was taken, at the latest */
	#taken = null;
	#frozen = false;
	#liveMs = LIVE_MS;
	#blankMs = BLANK_MS;

	/**
	 * A picture of this age is on the tile.
	 * @param {number} now @param {number} ageMs @param {boolean} frozen
	 * @param {number} intervalUs
	 */
	drawn(now, ageMs, frozen, intervalUs) {
		this.#taken = now - Math.max(0, ageMs);
		this.#frozen = frozen;
		({ liveMs: this.#liveMs, blankMs: this.#blankMs } = limits(intervalUs));
	}

	blank() {
		this.#taken = null;
	}

	/**
	 * @param {number} now
	 * @returns {{state: 'blank' | 'live' | 'ago' | 'frozen', seconds: number}}
	 */
	look(now) {
		const age = this.#taken === null ? Infinity : now - this.#taken;
		if (age < 0 || age > this.#blankMs) {
			this.#taken = null;
			return { state: 'blank', seconds: 0 };
		}
		const seconds = Math.floor(age / 1000);
		if (age > this.#liveMs) {
			return { state: 'ago', seconds };
		}
		return { state: this.#frozen ? 'frozen' : 'live', seconds };
	}
}

/**
 * Notices that we slept: a timer that should have run long ago. The wall clock is looked at too,
 * because the monotonic one stands still while some machines sleep; a wall clock that is set
 * forward costs one blank and nothing else.
 */
export class GapWatch {
	static GAP_MS = 1000;
	#monotonic;
	#wall;

	/** @param {number} monotonic @param {number} wall */
	constructor(monotonic, wall) {
		this.#monotonic = monotonic;
		this.#wall = wall;
	}

	/** @param {number} monotonic @param {number} wall @returns {boolean} there was a gap */
	tick(monotonic, wall) {
		const gap = Math.max(monotonic - this.#monotonic, wall - this.#wall);
		this.#monotonic = monotonic;
		this.#wall = wall;
		return gap > GapWatch.GAP_MS;
	}
}
