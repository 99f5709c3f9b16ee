/** What a one-time link says before it is spent. Spending it takes a tap, so a preview does not. */
import { hex, nameOk } from './bytes.js';
import { parseLink } from './wire.js';

const PREFIX = '#pair=';

/**
 * @typedef {{kind: 'link', text: string, owner: boolean, fingerprint: string}} PairLink
 * @typedef {{kind: 'none'} | {kind: 'bad'} | PairLink} Fragment
 */

/**
 * @param {string} hash of the page's address
 * @returns {Fragment}
 */
export function readFragment(hash) {
	if (!hash.startsWith(PREFIX)) {
		return { kind: 'none' };
	}
	const text = hash.slice(PREFIX.length);
	try {
		const { owner, fingerprint } = parseLink(text);
		return { kind: 'link', text, owner, fingerprint: hex(fingerprint) };
	} catch {
		return { kind: 'bad' };
	}
}

/**
 * What the hub may call this browser, until somebody names it.
 * @param {string} agent navigator.userAgent
 */
export function suggestName(agent) {
	const browsers = [['Edg', 'Edge'], ['OPR', 'Opera'], ['Firefox', 'Firefox'],
		['FxiOS', 'Firefox'], ['CriOS', 'Chrome'], ['Chrom', 'Chrome'], ['Safari', 'Safari']];
	const systems = [['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Android', 'Android'],
		['CrOS', 'Chromebook'], ['Windows', 'Windows'], ['Mac OS', 'Mac'], ['Linux', 'Linux']];
	const find = (/** @type {string[][]} */ table) => table.find(([mark]) => agent.includes(mark));
	return `${find(browsers)?.[1] ?? 'Browser'} on ${find(systems)?.[1] ?? 'a device'}`;
}

/**
 * @param {PairLink} link
 * @param {boolean} paired there is a pairing that this link would replace
 * @param {{pair: (name: string) => void, keep: () => void}} acts
 * @returns {import('./notice.js').Words}
 */
export function pairingCard(link, paired, acts) {
	const name = suggestName(navigator.userAgent);
	const lines = link.owner
		? ['This browser will show the hub’s cameras, and decide which other screens may.']
		: ['This browser will show the cameras that were chosen for it, until the owner of the hub '
			+ 'takes them back.'];
	lines.push('The link works once: the button uses it up.');
	if (paired) {
		lines.push('This browser is paired already. Using the link replaces that pairing.');
	}
	const pair = {
		text: link.owner ? 'Make this browser the owner' : 'Show cameras here',
		act: (/** @type {string} */ input) => acts.pair(nameOk(input) ? input : name),
	};
	const keep = { text: 'Keep the present pairing', act: () => acts.keep(), quiet: true };
	return {
		title: `Camera hub at ${location.host}`, lines,
		input: { label: 'Name of this browser', value: name },
		buttons: paired ? [pair, keep] : [pair],
	};
}
