/**
 * Is the worker alive, which keeps the labels true? While it is held up it cannot take a picture
 * away: then the page does. Pure: the page calls it at each turn of a timer.
 */

/** How often the worker says that it is, and how often the page asks. */
export const PULSE_MS = 250;
const SILENT_TURNS = 4;

export class Pulse {
	#silent = 0;
	#beats = 0;
	#believed = true;

	/** The worker was heard. */
	beat() {
		this.#silent = 0;
		this.#beats++;
	}

	/**
	 * Turns are counted, not time: a page that was held up itself has heard nothing meanwhile, and
	 * hears it all before its next turn.
	 * @returns {boolean} what the tiles say can be believed
	 */
	turn() {
		if (this.#beats > 0 && ++this.#silent > SILENT_TURNS) {
			this.#believed = false;
			this.#beats = 1;
		}
		/* At the second beat it has run for a while again, and blanked what was old. */
		if (!this.#believed && this.#beats > 2) {
			this.#believed = true;
		}
		return this.#believed;
	}
}
