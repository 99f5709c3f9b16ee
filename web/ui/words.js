/** What the page says in each state that it can be in. */

/** @typedef {import('./notice.js').Words} Words */

const retryButton = (/** @type {any} */ acts) => (acts
	? [{ text: 'Try again', act: () => acts.retry(), quiet: true }] : []);

/** @type {Record<string, (details: any, acts?: {retry: () => void}) => Words>} */
export const WORDS = {
	connecting: () => ({ title: 'Connecting…', passing: true }),
	pairing: () => ({ title: 'Pairing…', passing: true }),
	reconnecting: () => ({
		title: 'Reconnecting…', tone: 'warn', passing: true,
		lines: ['The connection to the hub was lost. It comes back by itself.'],
	}),
	unreachable: () => ({
		title: 'The hub does not answer', tone: 'warn', passing: true,
		lines: ['Is it switched on, and is this device in the same network?',
			'This page keeps trying.'],
	}),
	'no-socket': () => ({
		title: 'The page came through, the live connection did not', tone: 'warn',
		lines: [
			'Some browsers, Safari on iPhone and iPad among them, show a page behind a '
				+ 'certificate warning and still refuse its live connection.',
			'Install the hub’s certificate authority: open the link below, allow the profile, '
				+ 'install it in Settings, then switch it on under General, About, '
				+ 'Certificate Trust Settings. After that, reload this page.',
			'Elsewhere, a proxy or an extension may be in the way. This page keeps trying.',
		],
		link: { text: 'The hub’s certificate authority', href: '/ca.crt' },
	}),
	unpaired: () => ({
		title: 'This browser is not paired',
		lines: ['Open a one-time link on it. On the hub, this makes one:'],
		code: 'camgate pair',
	}),
	forgotten: () => ({
		title: 'This browser forgot its pairing', tone: 'warn',
		lines: ['It was paired with this hub, but its keys are gone: site data was cleared, or '
			+ 'the browser made room. Open a new one-time link. On the hub, this makes one:'],
		code: 'camgate pair',
	}),
	refused: (_, acts) => ({
		title: 'This browser was removed, or the hub refused it', tone: 'bad',
		lines: ['It shows nothing until the owner lets it in again, or gives it a new link. On the '
			+ 'hub, this makes one:'],
		code: 'camgate pair', buttons: retryButton(acts),
	}),
	'link-refused': () => ({
		title: 'The hub did not accept this link', tone: 'bad',
		lines: ['It was used already, it has expired, or it is not quite the one that was made. '
			+ 'Each link works once. On the hub, this makes a new one:'],
		code: 'camgate pair',
	}),
	'bad-link': () => ({
		title: 'This link is not complete', tone: 'bad',
		lines: ['A part of it was lost on the way. Copy the whole line, or scan the code again. '
			+ 'On the hub, this makes a new one:'],
		code: 'camgate pair',
	}),
	'wrong-hub': () => ({
		title: 'This is not the hub this browser knows', tone: 'bad',
		lines: [
			'Its identity is another than the one that was pinned when this browser was paired. '
				+ 'Nothing was sent to it, and nothing of it is shown.',
			'If the hub was set up anew, open a new one-time link. If nobody did that, somebody '
				+ 'may be standing between you and your hub.',
		],
		code: 'camgate pair',
	}),
	version: () => ({
		title: 'The hub speaks another version', tone: 'warn',
		lines: ['It was updated or set back while this page was open. Reload the page.'],
		buttons: [{ text: 'Reload', act: () => location.reload() }],
	}),
	fault: ({ detail }) => ({
		title: 'The hub sent something wrong, reconnecting…', tone: 'bad', passing: true,
		lines: [`${detail}.`],
	}),
	'no-cameras': ({ name }) => ({
		title: 'No cameras are shared with this browser yet',
		lines: ['It is paired, and shows a camera as soon as the owner shares one. On the hub:'],
		code: `camgate grant '${name.replaceAll('\'', '\'\\\'\'')}' CAMERA`,
	}),
	'no-storage': ({ detail }) => ({
		title: 'This browser cannot keep its keys', tone: 'bad',
		lines: ['A private window, or blocked site data, leaves nowhere to keep them. '
			+ 'Open the link in an ordinary window.', detail],
	}),
	lacking: ({ lacking }) => ({
		title: 'This browser lacks something the page needs', tone: 'bad',
		lines: [`Missing: ${lacking.join(', ')}.`,
			'A current Chromium, Chrome, Edge, Firefox or Safari has it all.'],
	}),
	broken: ({ detail }) => ({
		title: 'Something went wrong in this page', tone: 'bad',
		lines: [detail ?? '', 'Nothing is shown, to be safe.'],
		buttons: [{ text: 'Reload', act: () => location.reload() }],
	}),
};
