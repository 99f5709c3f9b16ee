/** Chromium for the tests, with a fresh profile, and the pixels of what it shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync'];

/**
 * @param {object} [options] of launchPersistentContext
 * @returns {Promise<import('playwright-core').BrowserContext & {finish: () => Promise<void>}>}
 */
export async function openBrowser(options = {}) {
	const profile = mkdtempSync(join(tmpdir(), 'camgate-chromium-'));
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
		ignoreHTTPSErrors: true, viewport: { width: 1280, height: 720 }, ...options,
		args: [...FLAGS, ...options.args ?? []],
	});
	context.finish = async () => {
		await context.close();
		rmSync(profile, { recursive: true, force: true });
	};
	return context;
}

/**
 * A PNG of 8-bit RGB or RGBA as getImageData would give it.
 * @param {Buffer} png
 */
export function decodePng(png) {
	const width = png.readUInt32BE(16);
	const height = png.readUInt32BE(20);
	const channels = png[25] === 6 ? 4 : 3;
	const parts = [];
	for (let at = 8; at < png.length;) {
		const size = png.readUInt32BE(at);
		if (png.toString('latin1', at + 4, at + 8) === 'IDAT') {
			parts.push(png.subarray(at + 8, at + 8 + size));
		}
		at += size + 12;
	}
	const raw = inflateSync(Buffer.concat(parts));
	const stride = width * channels;
	const data = new Uint8ClampedArray(width * height * 4).fill(255);
	let above = new Uint8Array(stride);
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (stride + 1)];
		const line = Uint8Array.from(raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
		unfilter(filter, line, above, channels);
		for (let x = 0; x < width; x++) {
			for (let c = 0; c < channels; c++) {
				data[(y * width + x) * 4 + c] = line[x * channels + c];
			}
		}
		above = line;
	}
	return { width, height, data };
}

function unfilter(filter, line, above, channels) {
	for (let i = 0; i < line.length; i++) {
		const left = i >= channels ? line[i - channels] : 0;
		const up = above[i];
		const corner = i >= channels ? above[i - channels] : 0;
		if (filter === 1) {
			line[i] += left;
		} else if (filter === 2) {
			line[i] += up;
		} else if (filter === 3) {
			line[i] += (left + up) >> 1;
		} else if (filter === 4) {
			const guess = left + up - corner;
			const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
			line[i] += a <= b && a <= c ? left : b <= c ? up : corner;
		}
	}
}

/** The pixels of the whole page. @param {import('playwright-core').Page} page */
export async function pixels(page) {
	return decodePng(await page.screenshot());
}

/**
 * Writes down all that the tiles say from now on: what is said for a moment only may be over when
 * a test looks. Until the page is left.
 * @param {import('playwright-core').Page} page
 */
export async function recordWords(page) {
	await page.evaluate(() => {
		globalThis.wordsSaid = [];
		new MutationObserver((changes) => changes.forEach(({ target }) =>
			globalThis.wordsSaid.push(target.getAttribute('aria-label') ?? '')))
			.observe(document.querySelector('#wall'),
				{ subtree: true, attributes: true, attributeFilter: ['aria-label'] });
	});
	return () => page.evaluate(() => globalThis.wordsSaid);
}

/** What the tiles say, in order. @param {import('playwright-core').Page} page */
export function tiles(page) {
	return page.$$eval('#wall canvas', (all) => all.map((canvas) =>
		canvas.getAttribute('aria-label') ?? ''));
}
