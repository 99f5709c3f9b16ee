// `make evidence`: runs everything that shows what camgate promises, and prints it in one table.
//
// QUICK=1 makes each part short. ONLY="revoke-loopback incidents" runs these parts. What long runs have
// shown elsewhere is in record.json, in a column of its own: it is not from this run.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { parts } from './parts.mjs';
import { dir, number, out, quick, readJson } from './run.mjs';

/** @typedef {import('./parts.mjs').Figure} Figure */

const record = readJson(new URL('record.json', import.meta.url).pathname) ?? {};

/** @param {Figure} f */
function text(f) {
	if (f.skipped !== undefined) {
		return `not measured: ${f.skipped}`;
	}
	return f.text ?? (typeof f.value === 'number' ? number(f.value) : String(f.value));
}

/** @param {Figure} f */
function verdict(f) {
	if (f.ok === undefined) {
		return '';
	}
	return f.ok ? `holds: ${f.bound}` : `DOES NOT HOLD: ${f.bound}`;
}

/** @param {Figure[]} figures */
function print(figures) {
	for (const f of figures) {
		const known = record[f.name.trim()];
		const recorded = known === undefined ? '' : `  (on record: ${number(known.n)}, ${known.how})`;
		console.log(`${f.name.padEnd(48)} ${text(f).padEnd(44)} ${verdict(f)}${recorded}`.trimEnd());
	}
}

const wanted = (process.env.ONLY ?? '').split(' ').filter((name) => name !== '');
const unknown = wanted.filter((name) => parts[name] === undefined);
if (unknown.length > 0) {
	console.error(`evidence: no part is called ${unknown.join(', ')}. There are: ${Object.keys(parts).join(' ')}`);
	process.exit(2);
}

fs.mkdirSync(dir, { recursive: true });
fs.rmSync(path.join(dir, 'tally'), { force: true });
/** @type {Record<string, Figure[]>} */
const all = {};
for (const [name, part] of Object.entries(parts)) {
	if (wanted.length > 0 && !wanted.includes(name)) {
		continue;
	}
	const start = Date.now();
	process.stderr.write(`evidence: ${name} ...`);
	all[name] = await part();
	process.stderr.write(` ${Math.round((Date.now() - start) / 1000)} s\n`);
}

const figures = Object.values(all).flat();
const bad = figures.filter((f) => f.ok === false).length;
const skipped = figures.filter((f) => f.skipped !== undefined).length;
console.log('');
print(figures);
console.log('');
console.log(`${figures.length} figures, ${bad} that do not hold, ${skipped} not measured here` +
	`${quick ? ' (QUICK: short runs)' : ''}`);
fs.writeFileSync(path.join(out, 'evidence.json'), `${JSON.stringify({
	machine: { cpus: os.cpus().length, model: os.cpus()[0]?.model ?? '', kernel: os.release() },
	quick, bad, skipped, parts: all, record,
}, null, '\t')}\n`);
process.exit(bad > 0 || figures.length === 0 ? 1 : 0);
