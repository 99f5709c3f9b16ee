/**
 * One viewing of one camera on one connection: asks for it, opens its keys, judges its frames in
 * the order they came, and answers each with an outcome. The tile draws.
 */
import { Assembly } from './assembly.js';
import { Malformed, equal, fromHex, hex } from './bytes.js';
import { checkFrame } from './checks.js';
import { Epochs } from './epochs.js';
import { CameraClock, limits } from './freshness.js';
import { openAuth } from './hpke.js';
import { SframeKey } from './sframe.js';
import {
	Anomaly, FRAME_MAX_BYTES, Outcome, Purpose, Say, encodeAck, encodeKeyAck, encodeReport,
	encodeTime, encodeUnwatch, encodeWatch, parseWrapped, wrapInfo,
} from './wire.js';

/**
 * @typedef {object} Connection what a logged-in session gives to its streams
 * @property {Uint8Array} home
 * @property {Uint8Array} session
 * @property {import('./keys.js').Identity} identity
 * @property {(kind: number, body: Uint8Array) => void} say signs and sends
 * @property {(message: Uint8Array) => void} send
 *
 * @typedef {object} Screen the tile, as a stream needs it
 * @property {boolean} hidden
 * @property {(picture: import('./checks.js').Picture) => Promise<number>} show an Outcome
 * @property {(reason: number) => void} refuse
 */

/** What no check foresaw is refused too, and must not stop the stream. @param {unknown} error */
function unforeseen(error) {
	console.error(error);
	return { outcome: Outcome.REFUSED, reason: Anomaly.NONE, ageMs: null, epoch: 0, ctr: 0n };
}

export class Stream {
	#connection;
	#screen;
	#now;
	#assembly;
	/** @type {import('./checks.js').Lens & {epochs: Epochs}} */
	#lens;
	/** @type {{frame: number, bytes: Uint8Array | null}[]} */
	#queue = [];
	#working = false;
	#over = false;
	#answered = false;
	/** @type {Set<number>} epochs already reported: the camera rotates on the first report */
	#reported = new Set();
	/** @type {import('./wire.js').Totals} */
	#totals = { received: 0, drawn: 0, late: 0, hidden: 0, refused: 0, worstAgeMs: 0 };

	/**
	 * @param {{number: number, camera: import('./wire.js').Camera, connection: Connection,
	 *     highWater: import('./epochs.js').HighWater, screen: Screen, now: () => number}} parts
	 */
	constructor({ number, camera, connection, highWater, screen, now }) {
		this.number = number;
		this.camera = camera;
		this.startedAt = now();
		this.#connection = connection;
		this.#screen = screen;
		this.#now = now;
		this.#assembly = new Assembly(Math.min(camera.largest, FRAME_MAX_BYTES));
		this.#lens = {
			home: connection.home, camera, highWater, epochs: new Epochs(),
			clock: new CameraClock(), blankMs: () => limits(this.camera.intervalUs).blankMs,
		};
	}

	/** The hub gave us a key. */
	get answered() {
		return this.#answered;
	}

	watch() {
		const { id } = this.camera;
		this.#ask((nonce) => this.#connection.say(Say.WATCH,
			encodeWatch({ stream: this.number, camera: id, rendition: 0, nonce })));
	}

	askTime() {
		this.#ask((nonce) => this.#connection.say(Say.TIME, encodeTime(this.number, nonce)));
	}

	/** @param {(nonce: Uint8Array) => void} send */
	#ask(send) {
		const fresh = hex(crypto.getRandomValues(new Uint8Array(16)));
		send(fromHex(this.#lens.clock.asked(fresh, this.#now())));
	}

	/** We slept: the camera's clock has to be asked for again. */
	forgetClock() {
		this.#lens.clock.forget();
	}

	tick() {
		if (this.#answered && this.#lens.clock.due(this.#now())) {
			this.askTime();
		}
	}

	/** Ends it from the hub's side, or with the connection: whatever is in work is dropped. */
	end() {
		this.#over = true;
		this.#queue = [];
	}

	/** Ends it from our side, attesting what was seen. */
	unwatch() {
		this.end();
		this.#connection.say(Say.UNWATCH, encodeUnwatch(this.number, this.#totals));
	}

	/** @param {import('./wire.js').Key} message */
	async key(message) {
		let opened;
		try {
			opened = await this.#openKey(message);
		} catch {
			this.#refuseKey(message);
			return;
		}
		if (this.#over) {
			return;
		}
		if (opened.answer !== null
			&& !this.#lens.clock.answered(hex(opened.answer.nonce), opened.answer.clockUs,
				this.#now())) {
			this.#refuseKey(message);
			return;
		}
		this.#useKey(message, opened.key);
	}

	/** @param {import('./wire.js').Key} message */
	async #openKey({ camera, generation, epoch, purpose, enc, wrapped }) {
		if (!equal(camera, this.camera.id) || !equal(generation, this.camera.generation)) {
			throw new Malformed('key of another camera');
		}
		const { home, session, identity } = this.#connection;
		const { displayId } = identity;
		const plaintext = await openAuth({
			recipient: identity.kem, recipientPublic: identity.kemPublic,
			senderPublic: this.camera.kemPublic, enc, ciphertext: wrapped,
			info: wrapInfo({ home, camera, generation, displayId, session, epoch, purpose }),
		});
		const { key, answer } = parseWrapped(purpose, plaintext);
		const sframeKey = await SframeKey.derive(BigInt(epoch), key);
		key.fill(0);
		return { key: sframeKey, answer };
	}

	/** @param {import('./wire.js').Key} message @param {SframeKey} key */
	#useKey(message, key) {
		const { epoch, purpose } = message;
		const announced = purpose === Purpose.NEXT;
		const ok = announced ? this.#lens.epochs.announce(epoch, key, this.#now())
			: this.#lens.epochs.use(epoch, key, this.#now());
		if (!ok) {
			this.#refuseKey(message);
			return;
		}
		this.#answered = true;
		if (announced) {
			this.#connection.say(Say.KEY_ACK, encodeKeyAck(this.number, epoch));
		}
	}

	/** @param {import('./wire.js').Key} message */
	#refuseKey({ epoch }) {
		if (!this.#over) {
			this.#screen.refuse(Anomaly.KEY);
			this.#report(Anomaly.KEY, epoch, 0n);
		}
	}

	/** @param {ReturnType<typeof import('./wire.js').parseChunk>} chunk */
	chunk(chunk) {
		const completed = this.#assembly.add(chunk);
		if (completed !== null) {
			this.#totals.received++;
			this.#queue.push(completed);
			this.#work();
		}
	}

	/** @param {number} frame */
	abort(frame) {
		this.#assembly.abort(frame);
	}

	async #work() {
		if (this.#working) {
			return;
		}
		this.#working = true;
		for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
			const answer = await this.#judge(next.bytes).catch(unforeseen);
			if (!this.#over) {
				this.#answer(next.frame, answer);
			}
		}
		this.#working = false;
	}

	/**
	 * @param {Uint8Array | null} bytes
	 * @returns {Promise<{outcome: number, reason: number, ageMs: number | null, epoch: number,
	 *     ctr: bigint}>}
	 */
	async #judge(bytes) {
		const unread = { reason: Anomaly.NONE, ageMs: null, epoch: 0, ctr: 0n };
		if (bytes === null) {
			return { ...unread, outcome: Outcome.REFUSED };
		}
		if (this.#screen.hidden) {
			return { ...unread, outcome: Outcome.HIDDEN };
		}
		const verdict = await checkFrame(bytes, this.#lens, this.#now);
		if (verdict.picture === null || this.#over) {
			return verdict;
		}
		if (this.#queue.length > 0) {
			return { ...verdict, outcome: Outcome.LATE }; /* overtaken: the newest is drawn */
		}
		const outcome = await this.#screen.show(verdict.picture);
		const reason = outcome === Outcome.REFUSED ? Anomaly.PICTURE : Anomaly.NONE;
		return { ...verdict, outcome, reason };
	}

	/**
	 * @param {number} frame
	 * @param {{outcome: number, reason: number, ageMs: number | null, epoch: number,
	 *     ctr: bigint}} answer
	 */
	#answer(frame, { outcome, reason, ageMs, epoch, ctr }) {
		this.#count(outcome, ageMs);
		if (outcome === Outcome.REFUSED) {
			this.#screen.refuse(reason);
		}
		this.#connection.send(encodeAck({ outcome, stream: this.number, frame, ageMs, reason }));
		if (reason !== Anomaly.NONE) {
			this.#report(reason, epoch, ctr);
		}
	}

	/** @param {number} outcome @param {number | null} ageMs */
	#count(outcome, ageMs) {
		const totals = this.#totals;
		if (outcome === Outcome.DRAWN) {
			totals.drawn++;
			totals.worstAgeMs = Math.max(totals.worstAgeMs, Math.round(ageMs ?? 0));
		} else if (outcome === Outcome.LATE) {
			totals.late++;
		} else if (outcome === Outcome.HIDDEN) {
			totals.hidden++;
		} else {
			totals.refused++;
		}
	}

	/** @param {number} reason @param {number} epoch @param {bigint} ctr */
	#report(reason, epoch, ctr) {
		if (this.#reported.has(epoch)) {
			return;
		}
		this.#reported.add(epoch);
		const { id, generation } = this.camera;
		this.#connection.say(Say.REPORT, encodeReport({
			stream: this.number, camera: id, generation, reason, epoch,
			counter: BigInt.asUintN(64, ctr),
		}));
	}
}
