/** Frames of one stream, put together from their chunks. One at a time, in order, without gaps. */
import { Malformed } from './bytes.js';

export class Assembly {
	#limit;
	#number = 0;
	#filled = 0;
	#total = 0;
	/** @type {Uint8Array | null} null while a frame over the limit is let pass */
	#bytes = null;

	/** @param {number} limit bytes of the largest acceptable frame */
	constructor(limit) {
		this.#limit = limit;
	}

	/**
	 * @param {{frame: number, offset: number, total: number, piece: Uint8Array}} chunk
	 * @returns {{frame: number, bytes: Uint8Array | null} | null} a completed frame; without bytes
	 *     when it was over the limit (none of it was kept)
	 */
	add({ frame, offset, total, piece }) {
		if (this.#total === 0) {
			this.#begin(frame, total);
		}
		if (frame !== this.#number || offset !== this.#filled || total !== this.#total) {
			throw new Malformed('chunk out of order');
		}
		this.#bytes?.set(piece, offset);
		this.#filled += piece.length;
		if (this.#filled < total) {
			return null;
		}
		const bytes = this.#bytes;
		this.#end();
		return { frame, bytes };
	}

	/** @param {number} frame */
	abort(frame) {
		if (this.#total === 0 || frame !== this.#number) {
			throw new Malformed('abort of no frame');
		}
		this.#end();
	}

	/** @param {number} frame @param {number} total */
	#begin(frame, total) {
		this.#number++;
		if (frame !== this.#number) {
			throw new Malformed('frame number out of order');
		}
		this.#filled = 0;
		this.#total = total;
		this.#bytes = total <= this.#limit ? new Uint8Array(total) : null;
	}

	#end() {
		this.#total = 0;
		this.#bytes = null;
	}
}
