/**
 * A card for each camera that no owner has decided about: what it is, how surely it is known, and to
 * whom to show it. Text only, never markup.
 */
import { Decision } from './wire.js';

/** How surely a camera is known, by its strength. */
const KNOWN = [
	'It cannot be told from others of its kind: look at the preview to make sure which one it is. '
		+ 'What you choose lasts until it is unplugged or restarted.',
	'Known by its make and port: at another port it is a new camera.',
	'Known by its serial number: it is the same camera at any port.',
	'A test picture, and no camera.',
];

/**
 * @typedef {object} NewCamera
 * @property {string} id
 * @property {string} name
 * @property {string} about
 * @property {number} strength
 * @property {boolean} quarantined
 *
 * @typedef {{name: string, own: boolean}} Screen
 *
 * @typedef {object} Acts
 * @property {(camera: string, displays: string[]) => void} share
 * @property {(camera: string, decision: number) => void} decide
 * @property {(camera: string, on: boolean) => void} preview
 * @property {() => void} changed there are other cards than before
 */

/**
 * @param {string} tag @param {string} className @param {string} text
 * @returns {HTMLElement}
 */
function element(tag, className, text) {
	const made = document.createElement(tag);
	made.className = className;
	made.textContent = text;
	return made;
}

/** @param {string} text @param {string} className @param {() => void} act */
function button(text, className, act) {
	const made = /** @type {HTMLButtonElement} */ (element('button', className, text));
	made.type = 'button';
	made.addEventListener('click', act);
	return made;
}

class Card {
	#camera;
	#acts;
	#screens = element('fieldset', 'screens', '');
	/** @type {Map<string, HTMLInputElement>} */
	#boxes = new Map();
	#share;
	#preview;
	#hint = element('p', 'hint', '');
	#looked = false;
	#previewing = false;

	/** @param {NewCamera} camera @param {Acts} acts @param {() => void} later */
	constructor(camera, acts, later) {
		this.#camera = camera;
		this.#acts = acts;
		this.#share = button('Show there', 'main', () => this.#decide());
		this.#preview = button('Preview', '', () => this.#look());
		const title = element('h2', '', `New camera: ${camera.name}`);
		title.id = `ask-${camera.id}`;
		const words = element('div', 'words', '');
		words.append(title, element('p', 'about', camera.about),
			element('p', 'known', KNOWN[camera.strength]), this.#hint);
		const actions = element('div', 'actions', '');
		actions.append(this.#share, this.#preview, button('Ignore', '', () => this.#ignore()),
			button('Later', '', later));
		this.element = element('section', 'ask', '');
		this.element.setAttribute('aria-labelledby', title.id);
		this.element.dataset.camera = camera.id;
		this.element.append(words, this.#screens, actions);
		this.#tell();
	}

	/** @param {Map<string, Screen>} screens */
	list(screens) {
		const boxes = new Map();
		const lines = [element('legend', '', 'Show it on')];
		const own = (/** @type {[string, Screen]} */ [, screen]) => (screen.own ? 0 : 1);
		for (const [id, screen] of Array.from(screens).sort((a, b) => own(a) - own(b))) {
			const box = this.#boxes.get(id) ?? document.createElement('input');
			if (!this.#boxes.has(id)) {
				box.type = 'checkbox';
				box.value = id;
				box.checked = screen.own;
				box.addEventListener('change', () => this.#tell());
			}
			boxes.set(id, box);
			const label = element('label', '', '');
			label.append(box, screen.own ? `${screen.name} (this browser)` : screen.name);
			lines.push(label);
		}
		this.#boxes = boxes;
		this.#screens.replaceChildren(...lines);
		this.#tell();
	}

	/** @param {boolean} on a preview of it is on the wall */
	previewing(on) {
		this.#previewing = on;
		this.#looked ||= on;
		this.#tell();
	}

	#ticked() {
		return Array.from(this.#boxes.values()).filter(({ checked }) => checked)
			.map(({ value }) => value);
	}

	#tell() {
		const nobody = this.#ticked().length === 0;
		const blind = this.#camera.quarantined && !this.#looked && !nobody;
		this.#share.textContent = nobody ? 'Show to nobody'
			: this.#camera.quarantined ? 'This is it, show there' : 'Show there';
		this.#share.disabled = blind;
		this.#preview.textContent = this.#previewing ? 'End preview' : 'Preview';
		this.#hint.textContent = this.#previewing
			? 'The preview is on record, and ends by itself after a minute.'
			: 'Ignored, it stays off until “camgate confirm” on the hub.';
	}

	/** Nothing more can be pressed until the hub says what came of it. */
	#wait() {
		for (const all of this.element.querySelectorAll('button')) {
			all.disabled = true;
		}
	}

	#decide() {
		const displays = this.#ticked();
		this.#wait();
		if (displays.length === 0) {
			this.#acts.decide(this.#camera.id, Decision.NOBODY);
			return;
		}
		if (this.#camera.quarantined) {
			this.#acts.decide(this.#camera.id, Decision.CONFIRM);
		}
		this.#acts.share(this.#camera.id, displays);
	}

	#ignore() {
		this.#wait();
		this.#acts.decide(this.#camera.id, Decision.IGNORE);
	}

	#look() {
		this.#acts.preview(this.#camera.id, !this.#previewing);
	}
}

export class Cards {
	#element;
	#acts;
	/** @type {Map<string, Card>} */
	#cards = new Map();
	/** @type {Map<string, Screen>} */
	#screens = new Map();
	/** @type {Set<string>} those that were put off, for as long as this page is open */
	#later = new Set();

	/** @param {HTMLElement} place @param {Acts} acts */
	constructor(place, acts) {
		this.#element = place;
		this.#acts = acts;
	}

	get size() {
		return this.#cards.size;
	}

	/** @param {NewCamera} camera */
	add(camera) {
		if (this.#later.has(camera.id)) {
			return;
		}
		const card = new Card(camera, this.#acts, () => {
			this.#later.add(camera.id);
			this.#acts.preview(camera.id, false);
			this.#remove(camera.id);
		});
		card.list(this.#screens);
		this.#cards.get(camera.id)?.element.remove();
		this.#cards.set(camera.id, card);
		this.#element.append(card.element);
		this.#changed();
	}

	/** Decided about, or pulled out. @param {string} id */
	over(id) {
		this.#later.delete(id);
		this.#remove(id);
	}

	/** @param {{id: string, paired: boolean, name: string, own: boolean}} screen */
	screen({ id, paired, ...screen }) {
		if (paired) {
			this.#screens.set(id, screen);
		} else {
			this.#screens.delete(id);
		}
		this.#cards.forEach((card) => card.list(this.#screens));
	}

	/** @param {string} id @param {boolean} on */
	previewing(id, on) {
		this.#cards.get(id)?.previewing(on);
	}

	/** The connection is gone; the next one begins anew. */
	clear() {
		this.#screens.clear();
		Array.from(this.#cards.keys()).forEach((id) => this.#remove(id));
	}

	/** @param {string} id */
	#remove(id) {
		this.#cards.get(id)?.element.remove();
		this.#cards.delete(id);
		this.#changed();
	}

	#changed() {
		this.#element.hidden = this.size === 0;
		this.#acts.changed();
	}
}
