/**
 * The page: looks at the address and the browser, starts the worker, and shows what it says.
 * Keys, pictures and the connection never come here.
 */
import { Cards } from './cards.js';
import { missing } from './needs.js';
import { Notice } from './notice.js';
import { WORDS } from './words.js';
import { pairingCard, readFragment } from './pairing.js';
import { PULSE_MS, Pulse } from './pulse.js';
import { Wall } from './wall.js';

const PAIRED = 'camgate.paired';
/** Waits this short are not worth a word. */
const PATIENCE_MS = 700;

/** @type {any} Trusted Types are not everywhere yet */
const trustedTypes = /** @type {any} */ (globalThis).trustedTypes;

function startWorker() {
	const name = 'worker.js';
	const policy = trustedTypes?.createPolicy('camgate', {
		createScriptURL: (/** @type {string} */ url) => {
			if (url !== name) {
				throw new TypeError('not a script of ours');
			}
			return url;
		},
	});
	return new Worker(policy ? policy.createScriptURL(name) : name, { type: 'module' });
}

class Page {
	#notice = new Notice(document.getElementById('notice'), document.getElementById('strip'));
	/** @type {import('./pairing.js').Fragment} */
	#fragment = readFragment(location.hash);
	#worker;
	#wall;
	#cards;
	/** @type {WakeLockSentinel | null} */
	#wakeLock = null;
	#awake = Promise.resolve();
	#pulse = new Pulse();
	#watching = false;
	#online = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#patience;
	#name = '';

	/** @param {Worker} worker */
	constructor(worker) {
		this.#worker = worker;
		this.#wall = new Wall(/** @type {HTMLElement} */ (document.getElementById('wall')),
			(message, transfer) => worker.postMessage(message, transfer ?? []));
		this.#cards = new Cards(/** @type {HTMLElement} */ (document.getElementById('asks')), {
			share: (camera, displays) => this.#tell('share', { camera, displays }),
			decide: (camera, decision) => this.#tell('decide', { camera, decision }),
			preview: (camera, on) => this.#tell('preview', { camera, on }),
			changed: () => this.#settle(),
		});
		worker.onmessage = ({ data }) => this.#heard(data);
		worker.onerror = () => this.#show('broken', { detail: 'The worker did not start.' });
		document.addEventListener('visibilitychange', () => this.#visibility());
		document.addEventListener('freeze', () => this.#tell('visible', { visible: false }));
		addEventListener('pagehide', () => {
			this.#tell('visible', { visible: false });
			this.#tell('goodbye');
		});
		addEventListener('pageshow', () => this.#visibility());
		addEventListener('hashchange', () => location.reload());
		setInterval(() => {
			document.body.classList.toggle('stalled', !this.#pulse.turn());
		}, PULSE_MS);
	}

	start() {
		if (this.#fragment.kind === 'none') {
			this.#show('connecting');
		}
		this.#visibility();
		this.#tell('start', { connect: this.#fragment.kind === 'none' });
	}

	/** @param {string} type @param {object} [rest] */
	#tell(type, rest = {}) {
		this.#worker.postMessage({ type, ...rest });
	}

	/** @param {any} message */
	#heard(message) {
		switch (message.type) {
		case 'alive':
			this.#pulse.beat();
			break;
		case 'status':
			this.#show(message.status, message);
			break;
		case 'loaded':
			this.#loaded(message.fingerprint);
			break;
		case 'welcome':
			this.#welcome(message);
			break;
		case 'appeared':
			this.#wall.add(message.id);
			this.#settle();
			break;
		case 'vanished':
			this.#wall.remove(message.id);
			this.#settle();
			break;
		case 'ask':
			this.#cards.add(message.camera);
			break;
		case 'ask-over':
			this.#cards.over(message.id);
			break;
		case 'asks-over':
			this.#online = false;
			this.#cards.clear();
			break;
		case 'screen':
			this.#cards.screen(message);
			break;
		case 'previewing':
			this.#cards.previewing(message.id, message.on);
			break;
		case 'said':
			this.#wall.say(message.id, message.text);
			break;
		case 'watching':
			this.#watching = message.watching;
			this.#stayAwake();
			break;
		}
	}

	/** @param {string | null} paired fingerprint of the hub we are paired with */
	#loaded(paired) {
		const fragment = this.#fragment;
		if (fragment.kind === 'bad') {
			this.#show('bad-link');
		} else if (fragment.kind === 'link') {
			this.#notice.card(pairingCard(fragment, paired !== null, {
				pair: (name) => this.#tell('pair', { link: fragment.text, name }),
				keep: () => {
					this.#forgetFragment();
					this.#tell('connect');
				},
			}));
		}
	}

	/** @param {{name: string, owner: boolean, fingerprint: string}} welcome */
	#welcome({ name, fingerprint }) {
		this.#name = name;
		remember(fingerprint);
		this.#forgetFragment();
		/* Asks the browser not to throw our keys away when it needs room. */
		navigator.storage?.persist?.();
	}

	/** The link is spent: it should not stay in the address bar and the history. */
	#forgetFragment() {
		if (location.hash !== '') {
			history.replaceState(null, '', location.pathname);
		}
		this.#fragment = { kind: 'none' };
	}

	/** @param {string} status @param {any} [details] */
	#show(status, details = {}) {
		clearTimeout(this.#patience);
		this.#online = status === 'online';
		if (status === 'online') {
			this.#settle();
			return;
		}
		const lost = status === 'unpaired' && remembered();
		const words = WORDS[lost ? 'forgotten' : status] ?? WORDS.broken;
		const card = words(details, { retry: () => this.#tell('connect') });
		if (this.#wall.size > 0 && card.passing) {
			/* The tiles say it themselves; a line says more when it takes longer. */
			this.#patience = setTimeout(() => this.#notice.line(card), PATIENCE_MS);
		} else if (card.passing) {
			this.#patience = setTimeout(() => this.#notice.card(card), PATIENCE_MS / 2);
		} else {
			this.#notice.card(card);
		}
	}

	/** When all is well there is a wall, or something to decide, or a word why there is neither. */
	#settle() {
		if (!this.#online) {
			return;
		}
		if (this.#wall.size > 0 || this.#cards.size > 0) {
			this.#notice.clear();
		} else {
			this.#notice.card(WORDS['no-cameras']({ name: this.#name }));
		}
	}

	#visibility() {
		const visible = document.visibilityState === 'visible';
		this.#tell('visible', { visible });
		this.#stayAwake();
	}

	/** While there is a picture to look at, the screen stays on. */
	#stayAwake() {
		this.#awake = this.#awake.then(() => this.#changeWakeLock());
	}

	async #changeWakeLock() {
		const wanted = this.#watching && document.visibilityState === 'visible';
		try {
			if (wanted && (this.#wakeLock === null || this.#wakeLock.released)) {
				this.#wakeLock = await navigator.wakeLock?.request('screen') ?? null;
			} else if (!wanted && this.#wakeLock !== null) {
				const lock = this.#wakeLock;
				this.#wakeLock = null;
				await lock.release();
			}
		} catch {
			/* A low battery may refuse it: then the screen sleeps as it always does. */
		}
	}
}

/** That there was a pairing, in a place that outlives keys which the browser threw away. */
function remembered() {
	try {
		return localStorage.getItem(PAIRED) !== null;
	} catch {
		return false;
	}
}

/** @param {string} fingerprint */
function remember(fingerprint) {
	try {
		localStorage.setItem(PAIRED, fingerprint);
	} catch {
		/* Only the wording of one message depends on it. */
	}
}

/* Whoever reads this far can show the page. */
document.getElementById('old')?.remove();
const lacking = missing(globalThis);
if (lacking.length > 0) {
	const notice = new Notice(document.getElementById('notice'), document.getElementById('strip'));
	notice.card(WORDS.lacking({ lacking }));
} else {
	new Page(startWorker()).start();
}
