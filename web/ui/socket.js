/**
 * One websocket to the hub, opened again with back-off whenever it is lost.
 * Everything of the outside world is injected, so that a test can be the network.
 */
import { SUBPROTOCOL } from './wire.js';

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5000;
const BACKOFF_REFUSED_MAX_MS = 30_000;
const OPENING_MS = 10_000;
/** Open for this long, and the next loss starts again at the shortest wait. */
const STEADY_MS = 5000;

/**
 * @typedef {object} World
 * @property {new (url: string, protocols: string) => any} WebSocket
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} now monotonic milliseconds
 * @property {() => number} random 0 to 1
 *
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(data: Uint8Array) => void} received
 * @property {(loss: {code: number, everOpened: boolean}) => boolean} lost true: try again
 */

export class Socket {
	#url;
	#world;
	#listener;
	/** @type {any} */
	#websocket = null;
	/** @type {any} */
	#timer = null;
	#wait = 0;
	#openedAt = 0;
	#slow = false;

	/** @param {string} url @param {World} world @param {Listener} listener */
	constructor(url, world, listener) {
		this.#url = url;
		this.#world = world;
		this.#listener = listener;
	}

	/** Opens now, whatever back-off there was. */
	start() {
		this.stop();
		this.#wait = 0;
		this.#slow = false;
		this.#open();
	}

	stop() {
		this.#world.clearTimeout(this.#timer);
		this.#timer = null;
		const websocket = this.#websocket;
		this.#websocket = null;
		websocket?.close();
	}

	/** The hub said no: keep asking, but seldom. */
	slowDown() {
		this.#slow = true;
	}

	/** @param {Uint8Array} data lost silently when the connection is */
	send(data) {
		if (this.#websocket?.readyState === 1) {
			this.#websocket.send(data);
		}
	}

	/** Drops this connection as if the network had, and opens another one. */
	drop() {
		const websocket = this.#websocket;
		if (websocket) {
			this.#lost(websocket, 1006, websocket.readyState === 1);
			websocket.close();
		}
	}

	#open() {
		const websocket = new this.#world.WebSocket(this.#url, SUBPROTOCOL);
		let everOpened = false;
		this.#websocket = websocket;
		websocket.binaryType = 'arraybuffer';
		this.#timer = this.#world.setTimeout(() => this.drop(), OPENING_MS);
		websocket.onopen = () => {
			if (websocket === this.#websocket) {
				everOpened = true;
				this.#world.clearTimeout(this.#timer);
				this.#openedAt = this.#world.now();
				this.#listener.opened();
			}
		};
		websocket.onmessage = (/** @type {MessageEvent} */ event) => {
			if (websocket === this.#websocket) {
				/* A text message becomes an empty one, which is malformed. */
				const { data } = event;
				this.#listener.received(new Uint8Array(data instanceof ArrayBuffer ? data : []));
			}
		};
		websocket.onclose = (/** @type {CloseEvent} */ event) => {
			this.#lost(websocket, event.code, everOpened);
		};
	}

	/** @param {any} websocket @param {number} code @param {boolean} everOpened */
	#lost(websocket, code, everOpened) {
		if (websocket !== this.#websocket) {
			return;
		}
		this.#websocket = null;
		this.#world.clearTimeout(this.#timer);
		if (everOpened && !this.#slow && this.#world.now() - this.#openedAt >= STEADY_MS) {
			this.#wait = 0;
		}
		if (this.#listener.lost({ code, everOpened })) {
			const wait = this.#backOff();
			this.#timer = this.#world.setTimeout(() => this.#open(), wait);
		}
	}

	/** Doubles from 100 ms to its limit; the jitter keeps many displays from coming as one. */
	#backOff() {
		const limit = this.#slow ? BACKOFF_REFUSED_MAX_MS : BACKOFF_MAX_MS;
		this.#wait = Math.min(limit, Math.max(BACKOFF_MIN_MS, this.#wait * 2));
		return this.#wait * (0.5 + this.#world.random() / 2);
	}
}
