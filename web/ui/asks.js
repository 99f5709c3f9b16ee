/**
 * Cameras that no owner has decided about, as the hub tells them to an owner's display, and what the
 * owner answers. Runs in the worker; the page shows the cards.
 */
import { fromHex, hex } from './bytes.js';
import { Say, encodeDecide, encodePreview, encodeShare } from './wire.js';

export class Asks {
	#post;
	/** @type {import('./stream.js').Connection | null} */
	#connection = null;

	/** @param {(message: object) => void} post to the page */
	constructor(post) {
		this.#post = post;
	}

	/** @param {import('./stream.js').Connection} connection */
	opened(connection) {
		this.#connection = connection;
	}

	/** The hub asks again on the next connection. */
	lost() {
		this.#connection = null;
		this.#post({ type: 'asks-over' });
	}

	/* ---- what the hub says ---- */

	/** @param {ReturnType<typeof import('./wire.js').parseNewCamera>} camera */
	camera({ id, ...camera }) {
		this.#post({ type: 'ask', camera: { id: hex(id), ...camera } });
	}

	/** @param {Uint8Array} id decided about, or pulled out */
	gone(id) {
		this.#post({ type: 'ask-over', id: hex(id) });
	}

	/** @param {ReturnType<typeof import('./wire.js').parseScreen>} screen */
	screen({ display, paired, name }) {
		const own = this.#connection?.identity.displayId;
		const id = hex(display);
		this.#post({ type: 'screen', id, paired, name, own: own !== undefined && hex(own) === id });
	}

	/** @param {Uint8Array} id @param {boolean} on */
	previewing(id, on) {
		this.#post({ type: 'previewing', id: hex(id), on });
	}

	/* ---- what the owner says ---- */

	/** @param {string} camera @param {string[]} displays */
	share(camera, displays) {
		for (const display of displays) {
			this.#connection?.say(Say.SHARE, encodeShare(fromHex(camera), fromHex(display)));
		}
	}

	/** @param {string} camera @param {number} decision of Decision */
	decide(camera, decision) {
		this.#connection?.say(Say.DECIDE, encodeDecide(fromHex(camera), decision));
	}

	/** @param {string} camera @param {boolean} on */
	preview(camera, on) {
		this.#connection?.say(Say.PREVIEW, encodePreview(fromHex(camera), on));
	}
}
