/**
 * The display as a whole: which hub it is paired with, the connection to it, and what to tell the
 * page about both. Runs in the worker; the outside world is injected.
 */
import { Asks } from './asks.js';
import { Malformed, hex } from './bytes.js';
import { createIdentity } from './keys.js';
import { OtherVersion, Session, WrongHub } from './session.js';
import { Socket } from './socket.js';
import { Watch } from './watch.js';
import { Close, parseLink } from './wire.js';

/** Failures to open before we look whether the page's own address answers. */
const PROBE_AFTER = 2;

/** @typedef {import('./keys.js').Pairing} Pairing */

/**
 * @typedef {object} Store
 * @property {(which: 'paired' | 'pending') => Promise<Pairing | null>} load
 * @property {(pairing: Pairing) => Promise<void>} savePending
 * @property {(pairing: Pairing) => Promise<void>} savePaired
 * @property {() => Promise<void>} dropPending
 *
 * @typedef {import('./socket.js').World & import('./tile.js').World
 *     & {wall: () => number, reachable: () => Promise<boolean>}} World
 */

export class Display {
	#store;
	#world;
	#origin;
	#post;
	#socket;
	#watch;
	#asks;
	/** @type {Pairing | null} */
	#pairing = null;
	#pending = false;
	/** @type {ReturnType<typeof parseLink> | null} a link to spend on the next challenge */
	#link = null;
	#name = '';
	/** @type {Session | null} */
	#session = null;
	#everOpened = false;
	#everWelcomed = false;
	#failures = 0;
	/** @type {string | null} why we gave up the connection that is about to be lost */
	#fault = null;

	/**
	 * @param {{store: Store, world: World, url: string, origin: string,
	 *     post: (message: object) => void}} parts
	 */
	constructor({ store, world, url, origin, post }) {
		this.#store = store;
		this.#world = world;
		this.#origin = origin;
		this.#post = post;
		this.#socket = new Socket(url, world, {
			opened: () => this.#opened(),
			received: (data) => this.#received(data),
			lost: (loss) => this.#lost(loss),
		});
		this.#asks = new Asks(post);
		this.#watch = new Watch(world, {
			appeared: (id) => post({ type: 'appeared', id }),
			vanished: (id) => post({ type: 'vanished', id }),
			said: (id, text) => post({ type: 'said', id, text }),
			watching: (watching) => post({ type: 'watching', watching }),
		}, () => this.#socket.drop());
	}

	get watch() {
		return this.#watch;
	}

	get asks() {
		return this.#asks;
	}

	/** @param {string} status @param {object} [details] */
	#status(status, details = {}) {
		this.#post({ type: 'status', status, ...details });
	}

	/** Looks for a pairing, and connects when told to. @param {boolean} connect */
	async start(connect) {
		this.#pairing = await this.#store.load('paired');
		if (this.#pairing === null) {
			this.#pairing = await this.#store.load('pending');
			this.#pending = this.#pairing !== null;
		}
		const fingerprint = this.#pairing === null ? null : hex(this.#pairing.fingerprint);
		this.#post({ type: 'loaded', fingerprint });
		if (connect) {
			this.connect();
		}
	}

	/** With the pairing there is. */
	connect() {
		if (this.#pairing === null) {
			this.#status('unpaired');
			return;
		}
		this.#status('connecting');
		this.#socket.start();
	}

	/**
	 * Spends a link: new keys, and a pairing with the hub it names.
	 * @param {string} text @param {string} name
	 */
	async pair(text, name) {
		const link = parseLink(text);
		const identity = await createIdentity();
		const pairing = { identity, fingerprint: link.fingerprint.slice(), home: null };
		await this.#store.savePending(pairing);
		this.#pairing = pairing;
		this.#pending = true;
		this.#link = link;
		this.#name = name;
		this.#status('pairing');
		this.#socket.start();
	}

	/** The page goes away: attests what was seen. */
	goodbye() {
		this.#watch.goodbye();
	}

	stop() {
		this.#socket.stop();
		this.#end();
	}

	#opened() {
		this.#everOpened = true;
		this.#failures = 0;
		/** @type {Session} */
		const session = new Session({
			pairing: /** @type {Pairing} */ (this.#pairing), link: this.#link, name: this.#name,
			origin: this.#origin,
			/* Signing takes a moment: nothing of one session may be sent on the next. */
			send: (message) => {
				if (this.#session === session) {
					this.#link = null;
					this.#socket.send(message);
				}
			},
			listener: {
				welcomed: (welcome) => this.#welcomed(welcome),
				opened: (connection) => {
					this.#watch.opened(connection);
					this.#asks.opened(connection);
					this.#status('online');
				},
				camera: (camera) => {
					this.#watch.camera(camera);
					this.#asks.previewing(camera.id, camera.preview);
				},
				gone: (gone) => {
					this.#watch.gone(gone);
					this.#asks.previewing(gone.id, false);
				},
				newCamera: (camera) => this.#asks.camera(camera),
				newCameraGone: (id) => this.#asks.gone(id),
				screen: (screen) => this.#asks.screen(screen),
				key: (key) => this.#watch.key(key),
				ended: (ended) => this.#watch.ended(ended),
				chunk: (chunk) => this.#watch.chunk(chunk),
				abort: (abort) => this.#watch.abort(abort),
				failed: (error) => this.#failed(error),
			},
		});
		this.#session = session;
	}

	/** @param {Uint8Array} data */
	#received(data) {
		this.#watch.heard();
		this.#session?.receive(data);
	}

	/** @param {ReturnType<typeof import('./wire.js').parseWelcome>} welcome */
	async #welcomed(welcome) {
		this.#everWelcomed = true;
		this.#watch.welcomed();
		const pairing = /** @type {Pairing} */ (this.#pairing);
		if (this.#pending) {
			this.#pairing = { ...pairing, home: welcome.home.slice() };
			await this.#store.savePaired(this.#pairing);
			this.#pending = false;
		}
		this.#post({
			type: 'welcome', name: welcome.name, owner: welcome.owner,
			fingerprint: hex(pairing.fingerprint),
		});
	}

	/** @param {Error} error */
	#failed(error) {
		if (error instanceof WrongHub || error instanceof OtherVersion) {
			this.#socket.stop();
			this.#end('stranger');
			this.#status(error instanceof WrongHub ? 'wrong-hub' : 'version');
			return;
		}
		if (!(error instanceof Malformed)) {
			console.error(error);
		}
		this.#fault = error.message;
		this.#socket.drop();
	}

	/** @param {string} [mark] what the tiles say */
	#end(mark) {
		const session = this.#session;
		this.#session = null;
		session?.end();
		this.#watch.lost(mark);
		this.#asks.lost();
	}

	/** @param {{code: number, everOpened: boolean}} loss @returns {boolean} try again */
	#lost({ code, everOpened }) {
		const session = this.#session;
		const refused = code === Close.REFUSED && session !== null && session.awaitsWelcome;
		this.#end(refused ? 'not-shared' : undefined);
		if (refused) {
			return this.#refused();
		}
		if (this.#fault !== null) {
			this.#status('fault', { detail: this.#fault });
			this.#fault = null;
			return true;
		}
		if (!everOpened) {
			this.#failures++;
			if (this.#failures >= PROBE_AFTER) {
				this.#probe();
				return true;
			}
		}
		this.#status(this.#everWelcomed ? 'reconnecting' : 'connecting');
		return true;
	}

	/** The hub read our login or pairing and said no. */
	#refused() {
		if (this.#pending) {
			this.#pairing = null;
			this.#pending = false;
			this.#link = null;
			this.#store.dropPending();
			this.#status('link-refused');
			return false;
		}
		this.#socket.slowDown();
		this.#status('refused');
		return true;
	}

	/** Is it only the websocket that does not open? Some browsers treat its certificate apart. */
	async #probe() {
		const reachable = await this.#world.reachable();
		if (this.#session === null && this.#failures > 0) {
			const never = reachable && !this.#everOpened;
			this.#status(never ? 'no-socket' : 'unreachable');
		}
	}
}
