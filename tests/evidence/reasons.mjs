// Why some code is not run by any test: the lists `uncovered` (lines) and `untaken` (branches).
import fs from 'node:fs';

/**
 * @typedef {object} Rule
 * @property {string} text as in the list
 * @property {RegExp} pattern
 * @property {string} reason
 * @property {boolean} needed whether anything was explained by it
 */

/** What is looked for. @param {string} file @param {string} name of the function @param {string} words */
export function keyOf(file, name, words) {
	return `${file} ¦ ${name} ¦ ${words}`;
}

/** A list: "== reason", and below it "file ¦ function ¦ text", in which * is anything. */
export class Reasons {
	#file;
	/** @type {Rule[]} */
	#rules = [];

	/** @param {string} file */
	constructor(file) {
		let reason = '';
		this.#file = file;
		for (const line of fs.readFileSync(file, 'utf8').split('\n').map((l) => l.trim())) {
			if (line === '' || line.startsWith('#')) {
				continue;
			}
			if (line.startsWith('== ')) {
				reason = line.slice(3);
			} else if (reason === '' || line.split(' ¦ ').length !== 3) {
				throw new Error(`${file}: no reason, or no file ¦ function ¦ text: ${line}`);
			} else {
				const parts = line.split('*').map((s) => s.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
				this.#rules.push({ text: line, pattern: new RegExp(`^${parts.join('.*')}$`), reason,
					needed: false });
			}
		}
	}

	/** The reason, or undefined. @param {string} key */
	find(key) {
		const rule = this.#rules.find((r) => r.pattern.test(key));
		if (rule !== undefined) {
			rule.needed = true;
		}
		return rule?.reason;
	}

	/** Tells what nothing needs. Some code runs in some runs only, and needs its line then. */
	tellUnneeded() {
		for (const rule of this.#rules.filter((r) => !r.needed)) {
			console.log(`# ${this.#file}: not needed in this run: ${rule.text}`);
		}
	}
}
