/**
 * The keys of one camera generation, by epoch: the current one, the one announced to follow, and
 * the one before, for two seconds. Epochs only grow. Times are injected monotonic milliseconds.
 */

const PREVIOUS_MS = 2000;

/** @typedef {import('./sframe.js').SframeKey} SframeKey */
/** @typedef {{epoch: number, key: SframeKey}} Entry */

export class Epochs {
	/** @type {Entry | null} */
	#current = null;
	/** @type {Entry | null} */
	#next = null;
	/** @type {(Entry & {until: number}) | null} */
	#previous = null;

	/**
	 * This epoch is in force now (KEY WATCH, BREAK or TIME).
	 * @param {number} epoch @param {SframeKey} key @param {number} now
	 * @returns {boolean} false: epochs never go back
	 */
	use(epoch, key, now) {
		if (this.#current !== null && epoch <= this.#current.epoch) {
			return epoch === this.#current.epoch || this.retired(epoch);
		}
		this.#switch({ epoch, key }, now);
		return true;
	}

	/**
	 * This epoch will follow (KEY NEXT). The one announced before must be in force by now, though
	 * no frame of it came yet.
	 * @param {number} epoch @param {SframeKey} key @param {number} now
	 * @returns {boolean} false: it could not follow the current one
	 */
	announce(epoch, key, now) {
		if (this.#current === null || epoch <= this.#current.epoch) {
			return false;
		}
		if (this.#next !== null && epoch > this.#next.epoch) {
			this.#switch(this.#next, now);
		}
		this.#next = { epoch, key };
		return true;
	}

	/**
	 * The key for a frame of this epoch, if one may be used now.
	 * @param {number} epoch @param {number} now
	 * @returns {SframeKey | null}
	 */
	find(epoch, now) {
		if (this.#previous !== null && now > this.#previous.until) {
			this.#previous = null;
		}
		for (const entry of [this.#current, this.#next, this.#previous]) {
			if (entry !== null && entry.epoch === epoch) {
				return entry.key;
			}
		}
		return null;
	}

	/**
	 * An epoch that is over: a frame of it is late, and no sign of a mix-up.
	 * @param {number} epoch
	 */
	retired(epoch) {
		return this.#current !== null && epoch < this.#current.epoch;
	}

	/**
	 * A frame of this epoch opened: the switch has happened.
	 * @param {number} epoch @param {number} now
	 */
	opened(epoch, now) {
		if (this.#next !== null && epoch === this.#next.epoch) {
			this.#switch(this.#next, now);
		}
	}

	/** @param {Entry} entry @param {number} now */
	#switch(entry, now) {
		this.#previous = this.#current && { ...this.#current, until: now + PREVIOUS_MS };
		this.#current = entry;
		if (this.#next !== null && this.#next.epoch <= entry.epoch) {
			this.#next = null;
		}
	}
}

/**
 * The highest counter seen, per epoch and rendition of one camera generation. It outlives streams
 * and connections, so that a frame is drawn once whoever sends it again.
 */
export class HighWater {
	/** @type {Map<string, {ctr: bigint, stream: object}>} */
	#marks = new Map();

	/**
	 * @param {number} epoch @param {number} rendition @param {bigint} ctr
	 * @param {object} stream the stream that asks
	 * @returns {'above' | 'seen' | 'replayed'} 'seen': by an earlier stream of ours, to which the
	 *     hub may honestly have sent the same newest frame
	 */
	check(epoch, rendition, ctr, stream) {
		const mark = this.#marks.get(`${epoch}/${rendition}`);
		if (mark === undefined || ctr > mark.ctr) {
			return 'above';
		}
		return mark.stream === stream ? 'replayed' : 'seen';
	}

	/**
	 * @param {number} epoch @param {number} rendition @param {bigint} ctr
	 * @param {object} stream
	 */
	raise(epoch, rendition, ctr, stream) {
		this.#marks.set(`${epoch}/${rendition}`, { ctr, stream });
		for (const key of this.#marks.keys()) {
			if (parseInt(key, 10) < epoch - 2) {
				this.#marks.delete(key);
			}
		}
	}
}
