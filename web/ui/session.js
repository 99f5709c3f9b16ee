/**
 * One connection's life: challenge, our answer, the hub's welcome, the cameras, then everything
 * else. Messages are handled strictly one after the other, so that a KEY is in place before the
 * frame that follows it. Anything unexpected ends the session.
 */
import { Malformed, equal } from './bytes.js';
import { hubFingerprint } from './keys.js';
import { HubVoice, OwnVoice, makeLogin, makePair } from './login.js';
import {
	Hub, Type, VERSION, parseAbort, parseCamera, parseCameraGone, parseChallenge, parseChunk,
	parseEnded, parseKey, parseNewCamera, parseNewCameraGone, parseScreen, parseWelcome,
} from './wire.js';

/** The hub is not the one this browser was paired with. */
export class WrongHub extends Error {}
/** The hub speaks another version than this page. */
export class OtherVersion extends Error {}

/**
 * @typedef {object} Listener
 * @property {(welcome: ReturnType<typeof parseWelcome>) => Promise<void>} welcomed
 * @property {(connection: import('./stream.js').Connection) => void} opened all cameras are known
 * @property {(camera: import('./wire.js').Camera) => void} camera
 * @property {(gone: {id: Uint8Array, reason: number}) => void} gone
 * @property {(key: import('./wire.js').Key) => Promise<void>} key
 * @property {(ended: {stream: number, camera: Uint8Array, reason: number}) => void} ended
 * @property {(camera: ReturnType<typeof parseNewCamera>) => void} newCamera
 * @property {(id: Uint8Array) => void} newCameraGone
 * @property {(screen: ReturnType<typeof parseScreen>) => void} screen
 * @property {(chunk: ReturnType<typeof parseChunk>) => void} chunk
 * @property {(abort: {stream: number, frame: number}) => void} abort
 * @property {(error: Error) => void} failed
 */

export class Session {
	#pairing;
	#link;
	#name;
	#origin;
	#send;
	#listener;
	/** @type {'challenge' | 'welcome' | 'cameras' | 'open' | 'over'} */
	#state = 'challenge';
	/** @type {Uint8Array[]} */
	#inbox = [];
	#reading = false;
	/** @type {HubVoice | null} */
	#hub = null;
	/** @type {Uint8Array} */
	#T = new Uint8Array(0);
	/** @type {Uint8Array} */
	#sessionId = new Uint8Array(0);
	#camerasDue = 0;

	/**
	 * @param {{pairing: import('./keys.js').Pairing, origin: string, name: string,
	 *     link: ReturnType<typeof import('./wire.js').parseLink> | null,
	 *     send: (message: Uint8Array) => void, listener: Listener}} parts link: pair instead of
	 *     logging in
	 */
	constructor({ pairing, link, name, origin, send, listener }) {
		this.#pairing = pairing;
		this.#link = link;
		this.#name = name;
		this.#origin = origin;
		this.#send = send;
		this.#listener = listener;
	}

	/** We answered the challenge and have not been welcomed: a close now is a refusal. */
	get awaitsWelcome() {
		return this.#state === 'welcome';
	}

	get welcomed() {
		return this.#state === 'cameras' || this.#state === 'open';
	}

	end() {
		this.#state = 'over';
		this.#inbox = [];
	}

	/** @param {Uint8Array} data */
	async receive(data) {
		this.#inbox.push(data);
		if (this.#reading) {
			return;
		}
		this.#reading = true;
		for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
			try {
				/* Chunks are most of the traffic and never wait. */
				const pending = this.#handle(next);
				if (pending !== undefined) {
					await pending;
				}
			} catch (error) {
				this.#fail(/** @type {Error} */ (error));
			}
		}
		this.#reading = false;
	}

	/** @param {Error} error */
	#fail(error) {
		if (this.#state !== 'over') {
			this.end();
			this.#listener.failed(error);
		}
	}

	/** @param {Uint8Array} data @returns {Promise<void> | void} */
	#handle(data) {
		if (this.#state === 'over') {
			return undefined;
		}
		if (this.#state === 'challenge') {
			return this.#challenge(data);
		}
		if (data[0] === Type.HUB) {
			return this.#hear(data);
		}
		if (this.#state !== 'open') {
			throw new Malformed('message before its time');
		}
		if (data[0] === Type.CHUNK) {
			return this.#listener.chunk(parseChunk(data));
		}
		if (data[0] === Type.ABORT) {
			return this.#listener.abort(parseAbort(data));
		}
		throw new Malformed('unknown message');
	}

	/** @param {Uint8Array} data */
	async #challenge(data) {
		const challenge = parseChallenge(data);
		const fingerprint = await hubFingerprint(challenge.hubPublic);
		if (!equal(fingerprint, this.#pairing.fingerprint)) {
			throw new WrongHub('the hub shows another identity');
		}
		if (challenge.versionMin > VERSION || challenge.versionMax < VERSION) {
			throw new OtherVersion('the hub speaks another version');
		}
		this.#hub = await HubVoice.create(challenge);
		this.#sessionId = challenge.session;
		const { identity } = this.#pairing;
		const { T, message } = this.#link === null
			? await makeLogin(identity, challenge, this.#origin)
			: await makePair(identity, challenge, this.#origin, this.#link, this.#name);
		this.#T = T;
		if (this.#state === 'challenge') {
			this.#state = 'welcome';
			this.#send(message);
		}
	}

	/** @param {Uint8Array} data */
	async #hear(data) {
		const { kind, body } = await /** @type {HubVoice} */ (this.#hub).hear(data);
		if (this.#state === 'over') {
			return;
		}
		if ((kind === Hub.WELCOME) !== (this.#state === 'welcome')) {
			throw new Malformed('welcome out of order');
		}
		switch (kind) {
		case Hub.WELCOME:
			await this.#welcome(body);
			break;
		case Hub.CAMERA:
			this.#camera(body);
			break;
		case Hub.CAMERA_GONE:
			this.#listener.gone(parseCameraGone(body));
			break;
		case Hub.KEY:
			await this.#listener.key(parseKey(body));
			break;
		case Hub.ENDED:
			this.#listener.ended(parseEnded(body));
			break;
		case Hub.NEW_CAMERA:
			this.#listener.newCamera(parseNewCamera(body));
			break;
		case Hub.NEW_CAMERA_GONE:
			this.#listener.newCameraGone(parseNewCameraGone(body));
			break;
		case Hub.SCREEN:
			this.#listener.screen(parseScreen(body));
			break;
		default:
			throw new Malformed('unknown kind of message');
		}
	}

	/** @param {Uint8Array} body */
	async #welcome(body) {
		const welcome = parseWelcome(body);
		const { identity, home } = this.#pairing;
		if (!equal(welcome.transcript, this.#T)
			|| !equal(welcome.displayId, identity.displayId)) {
			throw new Malformed('welcome of another login');
		}
		if (home !== null && !equal(home, welcome.home)) {
			throw new WrongHub('the hub belongs to another home');
		}
		this.#pairing = { ...this.#pairing, home: welcome.home.slice() };
		this.#camerasDue = welcome.cameras;
		this.#state = 'cameras';
		await this.#listener.welcomed(welcome);
		this.#openWhenComplete();
	}

	/** @param {Uint8Array} body */
	#camera(body) {
		this.#listener.camera(parseCamera(body));
		if (this.#camerasDue > 0) {
			this.#camerasDue--;
			this.#openWhenComplete();
		}
	}

	#openWhenComplete() {
		if (this.#state !== 'cameras' || this.#camerasDue > 0) {
			return;
		}
		this.#state = 'open';
		const { identity, home } = this.#pairing;
		const voice = new OwnVoice(this.#sessionId, identity, this.#send);
		this.#listener.opened({
			home: /** @type {Uint8Array} */ (home), session: this.#sessionId, identity,
			send: this.#send, say: (kind, body) => void voice.say(kind, body),
		});
	}
}
