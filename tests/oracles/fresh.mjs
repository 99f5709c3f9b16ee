/**
 * O-FRESH for the page in a browser: whatever a tile calls LIVE is live, and a picture that is too
 * old is gone. How old a picture really is, the test camera drew into it (tests/opix); what was
 * authenticated, and what the page thinks of the time, are not believed here.
 *
 * It looks where pictures and words are painted, in the page's worker: at each painting, and every
 * 50 ms at what then still stands on the canvas. So a page that hangs, or a slow test, hides
 * nothing. Time is the worker's own, and what a tile says too long is held against it only when the
 * worker's timers ran meanwhile: a machine that gives it no time lets no tile lie, and makes no
 * test fail. See `judge` for what this adds up to.
 */
import { readFileSync } from 'node:fs';

const LIVE_MS = 2000;
const BLANK_MS = 5000;
/** /proc/uptime, by which the clocks are compared, knows 10 ms. */
const CLOCKS_MS = 30;

const opix = readFileSync(new URL('../opix/opix.mjs', import.meta.url), 'utf8')
	.replace(/^export /gm, '');

/** CLOCK_BOOTTIME of this machine less its wall clock, ms: what cameras of a real hub stamp. */
export function boottimeAhead() {
	const uptime = () => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000;
	/* The moment when it changes. */
	const first = uptime();
	let now = first;
	while (now === first) {
		now = uptime();
	}
	return now - Date.now();
}

/** Runs in the worker, with `decode` of opix.mjs in scope. */
function watch({ ahead, jumpMs, liveMs, blankMs, clocksMs }) {
	const now = performance.now.bind(performance);
	const origin = performance.timeOrigin;
	const every = setInterval.bind(globalThis);
	const tiles = new Map();
	const found = {
		paintings: 0, livePaintings: 0, samples: 0, live: 0, blank: 0, starved: 0, worstLiveMs: 0,
		numbers: [], afterGaps: [], violations: [],
	};
	let ranAt = now();
	let gap = false;
	let asked = false; /* the time, by the page, in what it does right now */
	globalThis.fresh = found;

	/**
	 * Called whenever the worker runs. Has it slept? The page's own questions for the time are
	 * among them, so that a gap for us is no shorter for the page, which looks at other moments.
	 */
	function ran(atMs) {
		gap ||= atMs - ranAt > 1000;
		ranAt = atMs;
	}
	performance.now = () => {
		const atMs = now();
		ran(atMs);
		asked = true;
		queueMicrotask(() => {
			asked = false;
		});
		return atMs;
	};

	/** What stands on a canvas, and how old it was then, by what the camera drew. */
	function look(context, tile, atMs) {
		const { width, height } = context.canvas;
		const rows = Math.floor((height - 48) / 64) * 64;
		const image = context.getImageData(0, 0, width, height);
		const code = decode(image, { height: rows });
		const shown = code.tiles > code.badTiles;
		const mod = 2 ** 40;
		const distance = ((atMs + origin + ahead - code.captureMs) % mod + mod) % mod;
		let ageMs = distance > mod / 2 ? distance - mod : distance;
		if (jumpMs > 0 && ageMs < -jumpMs / 2) {
			ageMs += jumpMs;
		}
		const live = tile.words.includes('LIVE');
		return { says: tile.words.join(' '), live, shown, code, ageMs, atMs };
	}

	function complain(what, seen) {
		if (found.violations.filter((other) => other.what === what).length < 5) {
			found.violations.push({ what, says: seen.says, ageMs: Math.round(seen.ageMs),
				number: seen.code.number, atMs: Math.round(seen.atMs) });
		}
	}

	/** What is painted has to be true to the millisecond. */
	function painted(context, tile) {
		tile.pending = false;
		const seen = look(context, tile, tile.paintedAt);
		found.paintings++;
		ran(seen.atMs);
		if (gap) {
			gap = false;
			found.afterGaps.push(seen.shown ? 'a picture' : 'blank');
		}
		if (seen.shown && seen.code.foreignTiles + seen.code.mixedTiles > 0) {
			complain('two pictures in one', seen);
		}
		if (seen.live) {
			found.livePaintings++;
			found.worstLiveMs = Math.max(found.worstLiveMs, seen.ageMs);
			if (seen.ageMs > liveMs + clocksMs) {
				complain('painted as LIVE', seen);
			}
		}
		if (seen.shown && seen.ageMs > blankMs + clocksMs) {
			complain('painted too old', seen);
		}
	}

	/* The page looks at each tile every 50 ms. Between two looks of ours that are 40 ms apart, and
	 * both beyond the limit, its turn has come. */
	function sample() {
		for (const [context, tile] of tiles) {
			const seen = look(context, tile, now());
			ran(seen.atMs);
			const starved = tile.seen !== undefined && seen.atMs - tile.seen.atMs > 500;
			found.samples++;
			found.live += seen.live;
			found.blank += !seen.shown;
			found.starved += starved;
			if (seen.shown && found.numbers.at(-1) !== seen.code.number) {
				found.numbers.push(seen.code.number);
			}
			const late = {
				live: seen.live && seen.ageMs > liveMs + clocksMs,
				shown: seen.shown && seen.ageMs > blankMs + clocksMs,
			};
			if (!starved && late.live && tile.late?.live) {
				complain('still LIVE', seen);
			}
			if (!starved && late.shown && tile.late?.shown) {
				complain('not blank', seen);
			}
			Object.assign(tile, { seen, late });
		}
	}

	function hook(name, before) {
		const prototype = OffscreenCanvasRenderingContext2D.prototype;
		const original = prototype[name];
		prototype[name] = function hooked(...values) {
			if (!tiles.has(this)) {
				tiles.set(this, { words: [], pending: false });
			}
			const tile = tiles.get(this);
			/* Not later: reading the picture takes a while, in which all may stand still. Nor when
			 * it stood still between asking for the time and painting what was true then. */
			tile.paintedAt = asked ? ranAt : now();
			before(tile, this, values);
			if (!tile.pending) {
				tile.pending = true;
				queueMicrotask(() => painted(this, tile));
			}
			return original.apply(this, values);
		};
	}
	hook('drawImage', (tile) => {
		tile.words = [];
	});
	hook('fillRect', (tile, { canvas }, [,, width, height]) => {
		if (width === canvas.width && height === canvas.height) {
			tile.words = [];
		}
	});
	hook('fillText', (tile, _, [text]) => {
		tile.words.push(text);
	});
	every(sample, 50);
}

/**
 * Watches a page that has begun to show pictures.
 * @param {import('playwright-core').Page} page
 * @param {{ahead?: number, jumpMs?: number, liveMs?: number, blankMs?: number}} [options] ahead: the
 *     cameras' clock less the wall clock, ms; jumpMs: by which they may jump ahead; limits: of this
 *     camera
 */
export async function watchFreshness(page, {
	ahead = boottimeAhead(), jumpMs = 0, liveMs = LIVE_MS, blankMs = BLANK_MS,
} = {}) {
	const [worker] = page.workers();
	const options = JSON.stringify({ ahead, jumpMs, liveMs, blankMs, clocksMs: CLOCKS_MS });
	await worker.evaluate(`(() => { ${opix}\n(${watch})(${options}); })()`);
	return {
		/** What was found so far. */
		read: () => worker.evaluate('structuredClone(fresh)'),
	};
}
