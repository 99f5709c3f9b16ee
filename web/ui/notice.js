/** The one card, and the one line, in which the page speaks. Text only, never markup. */

/**
 * @typedef {object} Words
 * @property {string} title
 * @property {string[]} [lines]
 * @property {string} [code] something to type, or to compare
 * @property {'good' | 'warn' | 'bad' | 'calm'} [tone]
 * @property {{text: string, href: string}} [link]
 * @property {{label: string, value: string}} [input]
 * @property {{text: string, act: (input: string) => void, quiet?: boolean}[]} [buttons]
 * @property {boolean} [passing] it will go away by itself
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

export class Notice {
	#card;
	#strip;

	/** @param {HTMLElement | null} card @param {HTMLElement | null} strip */
	constructor(card, strip) {
		this.#card = /** @type {HTMLElement} */ (card);
		this.#strip = /** @type {HTMLElement} */ (strip);
	}

	clear() {
		this.#card.hidden = true;
		this.#strip.hidden = true;
	}

	/** One line over the wall. @param {Words} words */
	line(words) {
		this.#card.hidden = true;
		this.#strip.textContent = words.title;
		this.#strip.hidden = false;
	}

	/** @param {Words} words */
	card(words) {
		const parts = [element('h1', words.tone ?? 'calm', words.title)];
		for (const line of words.lines ?? []) {
			parts.push(element('p', '', line));
		}
		if (words.code) {
			parts.push(element('code', '', words.code));
		}
		if (words.link) {
			const link = /** @type {HTMLAnchorElement} */ (element('a', '', words.link.text));
			link.href = words.link.href;
			parts.push(link);
		}
		const input = document.createElement('input');
		if (words.input) {
			const label = element('label', '', words.input.label);
			input.value = words.input.value;
			input.maxLength = 40;
			input.spellcheck = false;
			label.append(input);
			parts.push(label);
		}
		for (const { text, act, quiet } of words.buttons ?? []) {
			const button = element('button', quiet ? 'quiet' : '', text);
			button.addEventListener('click', () => {
				for (const other of this.#card.querySelectorAll('button')) {
					other.disabled = true;
				}
				act(input.value.trim());
			});
			parts.push(button);
		}
		this.#card.replaceChildren(...parts);
		this.#card.hidden = false;
		this.#strip.hidden = true;
	}
}
