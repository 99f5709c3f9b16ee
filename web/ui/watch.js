/**
 * The cameras of this display and their viewings. Tiles outlive connections; streams do not.
 * Asks again for whatever should be watched and is not.
 */
import { Malformed, equal, hex } from './bytes.js';
import { HighWater } from './epochs.js';
import { GapWatch } from './freshness.js';
import { Stream } from './stream.js';
import { Tile } from './tile.js';
import { End, STREAMS_MAX, encodePulse } from './wire.js';

const PULSE_MS = 250;
const ANSWER_MS = 10_000;
const RETRY_MS = 5000;
/** Hidden for this long, and the cameras are let go, so that they can switch off. */
const REST_MS = 3000;
/** Nothing heard for this long: ask for the time, which the hub has to answer. */
const QUIET_MS = 5000;
const DEAD_MS = 10_000;
/** A tile of a camera that was taken away says so for this long, while somebody can read it. */
const LEAVE_MS = 20_000;

/** @type {Record<number, string>} */
const MARKS = {
	[End.NOT_SHARED]: 'not-shared', [End.OFFLINE]: 'offline', [End.REFUSED]: 'busy',
	[End.REPLACED]: 'waiting', [End.NO_RECORD]: 'no-record', [End.PREVIEW_OVER]: 'waiting',
};

/** @typedef {import('./wire.js').Camera} Camera */

/**
 * @typedef {object} Place one camera's place on the wall
 * @property {string} id
 * @property {Tile} tile
 * @property {Camera | null} camera null: not ours any more
 * @property {HighWater} highWater of the camera's generation
 * @property {Stream | null} stream
 * @property {number} retryAt
 * @property {number} leaveAt of a camera that is not ours any more
 *
 * @typedef {object} Page
 * @property {(id: string) => void} appeared make a canvas for it
 * @property {(id: string) => void} vanished remove its canvas
 * @property {(id: string, text: string) => void} said
 * @property {(watching: boolean) => void} watching
 */

export class Watch {
	#world;
	#page;
	#drop;
	/** @type {Map<string, Place>} */
	#places = new Map();
	/** @type {Map<number, Stream>} */
	#streams = new Map();
	#lastStream = 0;
	/** @type {import('./stream.js').Connection | null} */
	#connection = null;
	/** @type {Set<string>} cameras named since WELCOME */
	#named = new Set();
	#visible = true;
	#hiddenAt = 0;
	#pulsedAt = 0;
	#heardAt = 0;
	#probed = false;
	#gap;
	#watching = false;

	/**
	 * @param {import('./tile.js').World & {wall: () => number}} world @param {Page} page
	 * @param {() => void} drop gives up a connection that is silent
	 */
	constructor(world, page, drop) {
		this.#world = world;
		this.#page = page;
		this.#drop = drop;
		this.#gap = new GapWatch(world.now(), world.wall());
	}

	get size() {
		return this.#places.size;
	}

	/* ---- the connection ---- */

	welcomed() {
		this.#named.clear();
	}

	/** @param {import('./stream.js').Connection} connection */
	opened(connection) {
		this.#connection = connection;
		this.#lastStream = 0;
		this.#heardAt = this.#world.now();
		for (const place of this.#places.values()) {
			if (!this.#named.has(place.id)) {
				this.#takeAway(place, place.camera?.preview ? End.PREVIEW_OVER : End.NOT_SHARED);
			}
		}
		this.tick();
	}

	/**
	 * The connection is gone, and with it everything that made the pictures trustworthy.
	 * @param {string} [mark] what the tiles say meanwhile
	 */
	lost(mark = 'reconnecting') {
		this.#connection = null;
		this.#streams.forEach((stream) => stream.end());
		this.#streams.clear();
		for (const place of this.#places.values()) {
			place.stream = null;
			if (place.camera !== null) {
				place.tile.mark(mark);
			}
		}
	}

	/** Before anything that came from outside is handled, and before anything is painted. */
	beat() {
		const now = this.#world.now();
		if (this.#gap.tick(now, this.#world.wall())) {
			this.#places.forEach((place) => place.tile.blankFirst());
			this.#streams.forEach((stream) => stream.forgetClock());
		}
	}

	heard() {
		this.beat();
		this.#heardAt = this.#world.now();
		this.#probed = false;
	}

	/* ---- what the hub says ---- */

	/** @param {Camera} camera */
	camera(camera) {
		const id = hex(camera.id);
		this.#named.add(id);
		const place = this.#places.get(id) ?? this.#place(id);
		const before = place.camera;
		const same = before !== null && equal(before.generation, camera.generation);
		if (!same) {
			place.highWater = new HighWater();
		}
		place.camera = camera;
		place.retryAt = 0;
		place.tile.describe(camera);
		if (place.stream !== null && (!same || !camera.ready)) {
			this.#unwatch(place);
		}
		if (!camera.ready) {
			place.tile.mark('offline');
		} else if (place.stream === null) {
			place.tile.mark('waiting');
		} else {
			place.stream.camera = camera;
		}
	}

	/** @param {string} id */
	#place(id) {
		const tile = new Tile(this.#world, (text) => this.#page.said(id, text),
			() => this.beat());
		if (!this.#visible) {
			tile.hide();
		}
		/** @type {Place} */
		const place = {
			id, tile, camera: null, highWater: new HighWater(), stream: null, retryAt: 0,
			leaveAt: 0,
		};
		this.#places.set(id, place);
		this.#page.appeared(id);
		return place;
	}

	/** @param {{id: Uint8Array, reason: number}} gone */
	gone({ id, reason }) {
		const place = this.#places.get(hex(id));
		if (place !== undefined) {
			this.#takeAway(place, reason);
		}
	}

	/**
	 * The hub said ENDED of what it knew. A stream that is still here has its WATCH on the way, and
	 * would be a viewing until the connection ends.
	 * @param {Place} place @param {number} reason
	 */
	#takeAway(place, reason) {
		this.#unwatch(place);
		if (reason === End.PREVIEW_OVER) {
			this.#remove(place);
			return;
		}
		place.camera = null;
		place.leaveAt = this.#world.now() + LEAVE_MS;
		place.tile.mark(MARKS[reason] ?? 'not-shared');
	}

	/** @param {Place} place */
	#remove(place) {
		place.tile.mark('waiting');
		this.#places.delete(place.id);
		this.#page.vanished(place.id);
	}

	/** @param {import('./wire.js').Key} key */
	async key(key) {
		await this.#stream(key.stream)?.key(key);
	}

	/** @param {{stream: number, camera: Uint8Array, reason: number}} ended */
	ended({ stream: number, camera, reason }) {
		const stream = this.#stream(number);
		const place = this.#places.get(hex(camera));
		if (stream === null || place === undefined || place.stream !== stream) {
			return; /* we had ended it already */
		}
		this.#finish(place);
		const over = reason === End.NOT_SHARED || reason === End.PREVIEW_OVER;
		place.retryAt = over ? Infinity : this.#world.now() + RETRY_MS;
		place.tile.mark(MARKS[reason] ?? 'busy');
	}

	/** @param {ReturnType<typeof import('./wire.js').parseChunk>} chunk */
	chunk(chunk) {
		this.#stream(chunk.stream)?.chunk(chunk);
	}

	/** @param {{stream: number, frame: number}} abort */
	abort(abort) {
		this.#stream(abort.stream)?.abort(abort.frame);
	}

	/**
	 * @param {number} number
	 * @returns {Stream | null} null: one that is over, whose last messages were under way
	 */
	#stream(number) {
		if (number === 0 || number > this.#lastStream) {
			throw new Malformed('stream that was never asked for');
		}
		return this.#streams.get(number) ?? null;
	}

	/* ---- watching and letting go ---- */

	/** @param {Place} place @param {Camera} camera */
	#watch(place, camera) {
		const number = ++this.#lastStream;
		const stream = new Stream({
			number, camera, connection: /** @type {any} */ (this.#connection),
			highWater: place.highWater, screen: place.tile, now: this.#world.now,
		});
		place.stream = stream;
		this.#streams.set(number, stream);
		place.tile.mark('waiting');
		stream.watch();
	}

	/** @param {Place} place */
	#finish(place) {
		if (place.stream !== null) {
			place.stream.end();
			this.#streams.delete(place.stream.number);
			place.stream = null;
		}
	}

	/** @param {Place} place */
	#unwatch(place) {
		place.stream?.unwatch();
		this.#finish(place);
	}

	/** Attests what was seen, as the page goes away; it may yet come back. */
	goodbye() {
		this.visible(false);
		this.#hiddenAt = -Infinity;
		this.#places.forEach((place) => this.#unwatch(place));
	}

	/** @param {boolean} visible */
	visible(visible) {
		if (visible === this.#visible) {
			return;
		}
		this.#visible = visible;
		this.#hiddenAt = this.#world.now();
		for (const { tile } of this.#places.values()) {
			if (visible) {
				tile.unhide();
			} else {
				tile.hide();
			}
		}
		this.tick();
	}

	/** @param {string} id @param {OffscreenCanvas} canvas @param {number} scale */
	attach(id, canvas, scale) {
		this.#places.get(id)?.tile.attach(canvas, scale);
	}

	/** @param {string} id @param {number} width @param {number} height @param {number} scale */
	resize(id, width, height, scale) {
		this.#places.get(id)?.tile.resize(width, height, scale);
	}

	/** Every 50 ms, whatever the network does. */
	tick() {
		this.beat();
		const now = this.#world.now();
		this.#places.forEach((place) => place.tile.tick());
		this.#clearAway(now);
		if (this.#connection !== null) {
			const rest = !this.#visible && now - this.#hiddenAt >= REST_MS;
			this.#places.forEach((place) => this.#tend(place, now, rest));
			this.#streams.forEach((stream) => stream.tick());
			this.#pulse(now);
			this.#listen(now);
		}
		this.#tellWatching();
	}

	/** @param {number} now */
	#clearAway(now) {
		for (const place of Array.from(this.#places.values())) {
			if (place.camera === null && !this.#visible) {
				place.leaveAt = now + LEAVE_MS;
			} else if (place.camera === null && now >= place.leaveAt) {
				this.#remove(place);
			}
		}
	}

	/** @param {Place} place @param {number} now @param {boolean} rest */
	#tend(place, now, rest) {
		const { camera, stream } = place;
		if (stream !== null) {
			if (rest || (!stream.answered && now - stream.startedAt > ANSWER_MS)) {
				this.#unwatch(place);
				place.retryAt = 0;
				place.tile.mark(rest ? 'hidden' : 'waiting');
			}
		} else if (!rest && camera !== null && camera.ready && now >= place.retryAt
			&& this.#streams.size < STREAMS_MAX && this.#lastStream < 65535) {
			this.#watch(place, camera);
		}
	}

	/** @param {number} now */
	#pulse(now) {
		if (this.#streams.size > 0 && now - this.#pulsedAt >= PULSE_MS) {
			this.#pulsedAt = now;
			this.#connection?.send(encodePulse());
		}
	}

	/**
	 * A network may lose us without a word: when all is quiet, ask something that has an answer.
	 * @param {number} now
	 */
	#listen(now) {
		const quiet = now - this.#heardAt;
		const stream = this.#streams.values().next().value;
		if (stream === undefined) {
			this.#heardAt = now;
		} else if (quiet > DEAD_MS) {
			this.#drop();
		} else if (quiet > QUIET_MS && !this.#probed) {
			this.#probed = true;
			stream.askTime();
		}
	}

	#tellWatching() {
		const watching = Array.from(this.#places.values()).some(({ tile }) => tile.watching);
		if (watching !== this.#watching) {
			this.#watching = watching;
			this.#page.watching(watching);
		}
	}
}
