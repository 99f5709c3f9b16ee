// How the parts of the evidence are run: programs, what they print, and what is kept of it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** Where everything goes: logs, tallies, JSON of the parts. */
export const out = process.env.OUT ?? 'build';
export const dir = path.join(out, 'evidence');
export const quick = (process.env.QUICK ?? '') !== '';

/**
 * Runs a program to its end; both its streams go to evidence/NAME.log.
 *
 * @param {string} name of the part
 * @param {string[]} words the program and its arguments
 * @param {Record<string, string>} [more] environment
 * @returns {Promise<{code: number, text: string, log: string}>}
 */
export function run(name, words, more = {}) {
	const log = path.join(dir, `${name}.log`);
	const file = fs.openSync(log, 'w');
	return new Promise((resolve) => {
		const child = spawn(words[0], words.slice(1), {
			stdio: ['ignore', file, file],
			env: { ...process.env, ...more },
		});
		child.on('error', () => resolve({ code: 127, text: '', log }));
		child.on('close', (code) => {
			fs.closeSync(file);
			resolve({ code: code ?? 128, text: fs.readFileSync(log, 'utf8'), log });
		});
	});
}

/**
 * A target of the Makefile, in the way of the build that we are in. Without ONLY: that chose among the
 * parts here, and chooses among its own things there.
 *
 * @param {string} name
 * @param {string[]} words
 * @param {Record<string, string>} [more]
 */
export function make(name, words, more = {}) {
	return run(name, ['make', '--no-print-directory', ...words], { MAKEFLAGS: '', ONLY: '', ...more });
}

/** @param {string} file @returns {any} undefined when it is not there or no JSON */
export function readJson(file) {
	try {
		return JSON.parse(fs.readFileSync(file, 'utf8'));
	} catch {
		return undefined;
	}
}

/**
 * The sums of a tally (tests/oracles/tally.h).
 *
 * @param {string} file
 * @returns {Map<string, number>}
 */
export function readTally(file) {
	const sums = new Map();
	for (const line of fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []) {
		const [what, n] = line.split(' ');
		if (n !== undefined) {
			sums.set(what, (sums.get(what) ?? 0) + Number(n));
		}
	}
	return sums;
}

/** The sum of the first groups of all matches. @param {string} text @param {RegExp} pattern */
export function sum(text, pattern) {
	return [...text.matchAll(pattern)].reduce((n, m) => n + Number(m[1]), 0);
}

/** @param {number} n */
export function number(n) {
	return Number.isInteger(n) ? n.toLocaleString('en-US') : String(Math.round(n * 10) / 10);
}
