/**
 * The page's worker without a browser: the real modules against the fake hub over real TLS, with
 * canvases that only remember what was written on them.
 */
import './setup.mjs';
import { WebSocket } from 'ws';
import { Display } from '../../../web/ui/display.js';
import { jpegSize } from '../../../web/ui/jpeg.js';

/** Remembers the words and pictures of the last painting. */
class Context {
	constructor(canvas) {
		this.canvas = canvas;
		this.words = [];
		this.image = null;
	}

	fillRect(x, y, width, height) {
		if (width === this.canvas.width && height === this.canvas.height) {
			this.words = [];
			this.image = null;
		}
	}

	drawImage(image) {
		this.words = [];
		this.image = image;
	}

	fillText(text) {
		this.words.push(text);
	}

	measureText(text) {
		return { width: text.length };
	}

	beginPath() {}

	arc() {}

	fill() {}
}

export function makeStore() {
	const kept = new Map();
	return {
		kept,
		load: async (which) => kept.get(which) ?? null,
		savePending: async (pairing) => void kept.set('pending', pairing),
		savePaired: async (pairing) => {
			kept.delete('pending');
			kept.set('paired', pairing);
		},
		dropPending: async () => void kept.delete('pending'),
	};
}

/** @param {import('../fake_hub.mjs').FakeHub} hub @param {object} [options] */
export function makeDisplay(hub, { store = makeStore(), skew = { ms: 0, wallMs: 0 } } = {}) {
	const posts = [];
	const contexts = new Map();
	const { origin } = hub;
	const world = {
		WebSocket: class extends WebSocket {
			constructor(url, protocol) {
				super(url, protocol, { origin, rejectUnauthorized: false, perMessageDeflate: false });
				this.on('error', () => {});
			}
		},
		setTimeout, clearTimeout,
		now: () => performance.now() + skew.ms,
		wall: () => Date.now() + skew.wallMs,
		random: () => Math.random(),
		reachable: async () => true,
		decode: async (blob) => {
			const bytes = new Uint8Array(await blob.arrayBuffer());
			return { ...jpegSize(bytes), close() {} };
		},
	};
	const display = new Display({
		store, world, origin, url: `${origin.replace('https', 'wss')}/socket`,
		post: (message) => {
			posts.push(message);
			if (message.type === 'appeared') {
				const canvas = { width: 640, height: 384 };
				const context = new Context(canvas);
				canvas.getContext = () => context;
				contexts.set(message.id, context);
				setImmediate(() => display.watch.attach(message.id, canvas, 1));
			}
		},
	});
	const timer = setInterval(() => display.watch.tick(), 50);
	return {
		display, store, posts,
		/** All that is written on the tiles now. */
		words: () => Array.from(contexts.values(), ({ words }) => words.join(' ')).join(' | '),
		images: () => Array.from(contexts.values(), ({ image }) => image !== null),
		status: () => posts.filter(({ type }) => type === 'status').at(-1)?.status,
		close: () => {
			clearInterval(timer);
			display.goodbye();
			display.stop();
		},
	};
}

export const linkText = (link) => link.slice(link.indexOf('=') + 1);
