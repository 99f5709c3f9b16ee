/**
 * One camera on the wall: what it shows now and what is written on it. Either a picture that is
 * fresh enough, with its label, or a card that says why there is none; never a picture that
 * outlived its state. Lives in the worker; the canvas comes from the page.
 */
import { Freshness } from './freshness.js';
import { paintCard, paintLabel, paintPicture } from './label.js';
import { Outcome } from './wire.js';

/** @typedef {import('./label.js').Tone} Tone */

/** @type {Record<string, {state: string, tone: Tone, hint: string}>} */
const CARDS = {
	waiting: { state: 'WAITING FOR A PICTURE', tone: 'calm', hint: '' },
	blank: { state: 'NO PICTURE', tone: 'bad', hint: 'The last one is too old to show.' },
	refused: {
		state: 'PICTURE REFUSED', tone: 'bad', hint: 'It failed a check and was not shown.',
	},
	failing: {
		state: 'CAMERA FAULT', tone: 'bad',
		hint: 'The camera gives no picture. The hub keeps trying, and knows more.',
	},
	offline: { state: 'OFFLINE', tone: 'bad', hint: 'The camera is not there.' },
	'not-shared': {
		state: 'NOT SHARED', tone: 'bad', hint: 'This camera is not shared with this browser.',
	},
	busy: { state: 'NOT STARTED', tone: 'warn', hint: 'The hub could not start it. Trying again.' },
	'no-record': {
		state: 'NOT STARTED', tone: 'bad',
		hint: 'The hub cannot record viewings: is its disk full?',
	},
	reconnecting: { state: 'RECONNECTING', tone: 'warn', hint: 'The connection was lost.' },
	stranger: { state: 'STOPPED', tone: 'bad', hint: 'This is not the hub this browser knows.' },
	hidden: { state: 'PAUSED', tone: 'calm', hint: '' },
};

/** Marks that only say that no picture comes: a camera with a fault is why. */
const PENDING = new Set(['waiting', 'blank']);

/**
 * @typedef {object} World
 * @property {() => number} now
 * @property {(blob: Blob) => Promise<ImageBitmap>} decode
 */

export class Tile {
	#world;
	#said;
	#beat;
	#name = '';
	#test = false;
	#slow = false;
	#failing = false;
	#preview = false;
	#intervalUs = 0;
	#mark = 'waiting';
	#marks = 0;
	#refusals = 0;
	#hidden = false;
	#freshness = new Freshness();
	/** @type {ImageBitmap | null} */
	#image = null;
	#imageTest = false;
	/** @type {import('./label.js').Context | null} */
	#context = null;
	#scale = 1;
	#painted = '';

	/**
	 * @param {World} world @param {(text: string) => void} said told what the tile says
	 * @param {() => void} beat asked before anything is painted: if we slept, it blanks us first
	 */
	constructor(world, said, beat) {
		this.#world = world;
		this.#said = said;
		this.#beat = beat;
	}

	get hidden() {
		return this.#hidden || this.#context === null;
	}

	/** Is there a picture on it? */
	get watching() {
		return this.#image !== null;
	}

	/** @param {OffscreenCanvas} canvas @param {number} scale */
	attach(canvas, scale) {
		this.#context = canvas.getContext('2d', { alpha: false });
		this.#scale = scale;
		this.#paint(true);
	}

	/** @param {number} width @param {number} height @param {number} scale */
	resize(width, height, scale) {
		const canvas = this.#context?.canvas;
		if (canvas && (canvas.width !== width || canvas.height !== height)) {
			canvas.width = width;
			canvas.height = height;
			this.#scale = scale;
			this.#paint(true);
		}
	}

	/** @param {import('./wire.js').Camera} camera as the hub signed it */
	describe(camera) {
		this.#name = camera.name;
		this.#test = camera.test;
		this.#slow = camera.slow;
		this.#failing = camera.failing;
		this.#preview = camera.preview;
		this.#intervalUs = camera.intervalUs;
		this.#paint(true);
	}

	/** Takes the picture away and says why. @param {string} mark a key of CARDS */
	mark(mark) {
		this.#mark = mark;
		this.#marks++;
		this.#blank();
		this.#paint();
	}

	/** The page cannot be seen: nothing may stay on it. */
	hide() {
		this.#hidden = true;
		this.blankFirst();
	}

	unhide() {
		this.#hidden = false;
		this.#paint(true);
	}

	/** We may have slept: whatever is shown is gone before anything else happens. */
	blankFirst() {
		if (this.#image !== null) {
			this.mark('waiting');
		}
		this.#marks++;
	}

	/** @param {number} reason of Anomaly, NONE for a frame that only came at a wrong time */
	refuse(reason) {
		this.#refusals += reason === 0 ? 0 : 1;
		this.mark('refused');
	}

	/**
	 * @param {import('./checks.js').Picture} picture every check but drawing has passed
	 * @returns {Promise<number>} the Outcome
	 */
	async show(picture) {
		const taken = this.#world.now() - picture.ageMs;
		const marks = this.#marks;
		let image;
		try {
			const blob = new Blob([/** @type {BlobPart} */ (picture.jpeg)], { type: 'image/jpeg' });
			image = await this.#world.decode(blob);
		} catch {
			return Outcome.REFUSED;
		}
		if (image.width !== picture.width || image.height !== picture.height) {
			image.close();
			return Outcome.REFUSED;
		}
		/* Decoding took a while, and we may have slept: what was true before may not be any more. */
		this.#beat();
		if (this.hidden || this.#marks !== marks) {
			image.close();
			return this.hidden ? Outcome.HIDDEN : Outcome.LATE;
		}
		const now = this.#world.now();
		this.#blank();
		this.#freshness.drawn(now, now - taken, picture.frozen, this.#intervalUs);
		if (this.#freshness.look(now).state === 'blank') {
			image.close();
			this.mark('blank');
			return Outcome.LATE;
		}
		this.#image = image;
		this.#imageTest = picture.test;
		this.#mark = 'blank';
		this.#paint(true);
		return Outcome.DRAWN;
	}

	/** Called often: makes the label true again, and takes away what has become too old. */
	tick() {
		if (this.#image !== null) {
			this.#paint();
		}
	}

	#blank() {
		this.#image?.close();
		this.#image = null;
		this.#freshness.blank();
	}

	/** @returns {import('./label.js').Label | null} null: no picture may be shown */
	#label() {
		const { state, seconds } = this.#freshness.look(this.#world.now());
		if (this.#image === null || state === 'blank') {
			return null;
		}
		const notes = [];
		if (this.#preview) {
			notes.push('PREVIEW');
		}
		if (this.#test || this.#imageTest) {
			notes.push('TEST PICTURE');
		}
		if (this.#refusals > 0) {
			notes.push(`${this.#refusals} refused`);
		}
		const name = this.#name;
		if (state === 'ago') {
			return { name, state: `${seconds} s ago`, tone: 'warn', notes };
		}
		if (state === 'frozen') {
			return { name, state: 'FROZEN', tone: 'bad', notes };
		}
		if (this.#slow) {
			notes.push(`a picture every ${Math.round(this.#intervalUs / 1e6)} s`);
		}
		return { name, state: 'LIVE', tone: 'good', notes };
	}

	/** @param {boolean} [always] even if nothing that is written has changed */
	#paint(always = false) {
		this.#beat();
		const label = this.#label();
		if (label === null) {
			this.#blank();
		}
		const card = CARDS[this.#failing && PENDING.has(this.#mark) ? 'failing' : this.#mark];
		const text = label === null ? `${this.#name}: ${card.state}`
			: `${label.name}: ${[label.state, ...label.notes].join(', ')}`;
		const changed = text !== this.#painted;
		if (!always && !changed) {
			return;
		}
		this.#painted = text;
		if (this.#context !== null) {
			if (label !== null && this.#image !== null) {
				const { width, height } = this.#image;
				const place = paintPicture(this.#context, this.#image, width, height);
				paintLabel(this.#context, label, place, this.#scale);
			} else {
				paintCard(this.#context, { ...card, name: this.#name }, this.#scale);
			}
		}
		if (changed) {
			this.#said(text);
		}
	}
}
