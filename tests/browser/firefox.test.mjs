/** The page in Firefox against the real gateway: what only one browser does right shows here. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { decode } from '../opix/opix.mjs';
import { decodePng, recordWords, tiles } from './browser.mjs';
import { RealHub } from './real_hub.mjs';
import { until } from './until.mjs';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const skip = existsSync(FIREFOX) ? false : `${FIREFOX} is not installed`;
const { SHOTS } = process.env;
/** Rows of the picture that the label leaves free, in whole tiles of the code. */
const FREE = { width: 1280, height: 640 };

/** @type {import('puppeteer-core').Browser | undefined} */
let browser;

before(async () => {
	if (!skip) {
		browser = await puppeteer.launch({
			browser: 'firefox', executablePath: FIREFOX, headless: true, acceptInsecureCerts: true,
			defaultViewport: { width: 1280, height: 720 },
		});
	}
});

after(() => browser?.close());

async function shot(page, name) {
	if (SHOTS) {
		mkdirSync(SHOTS, { recursive: true });
		await page.screenshot({ path: `${SHOTS}/firefox-${name}.png` });
	}
}

/** The code in the picture on the screen. */
const seen = async (page) => decode(decodePng(Buffer.from(await page.screenshot())), FREE);

/** Once what was painted is on the screen, too. */
const whole = (page) => until('a whole picture', async () => {
	const code = await seen(page);
	return code.ok && code;
});
const nothing = (page) => until('nothing is on the screen', async () =>
	(await seen(page)).badTiles === 200);

const isLive = async (page) => (await tiles(page))[0]?.includes('LIVE') ?? false;
const live = (page) => until('live', () => isLive(page));
const dark = (page) => until('dark', async () => !await isLive(page));

const says = (page, text) => until(`the page says "${text}"`, () =>
	page.$eval('#notice', (notice, wanted) => !notice.hidden && notice.innerText.includes(wanted),
		text));

/** @param {(hub: RealHub, page: import('puppeteer-core').Page) => Promise<void>} use */
async function withPairedPage(use) {
	const hub = await new RealHub().start();
	const context = await browser.createBrowserContext();
	try {
		const page = await context.newPage();
		await page.goto(await hub.firstLink());
		await (await page.waitForSelector('#notice button')).click();
		await live(page);
		await use(hub, page);
		assert.equal(await hub.stop(), 0, hub.output);
	} catch (error) {
		error.message += `\n${hub.output}`;
		throw error;
	} finally {
		await context.close();
		await hub.stop();
	}
}

test('Firefox: a newcomer taps once, sees the camera, and is known again', { skip }, () =>
	withPairedPage(async (hub, page) => {
		const first = await whole(page);
		assert.equal(first.tiles, 200);
		await shot(page, 'live');
		await until('it moves', async () => (await seen(page)).number > first.number);
		assert.equal(await page.evaluate(() => location.hash), '');
		await page.reload();
		await live(page);
		const { displays } = await hub.ask('displays');
		assert.deepEqual(displays.map(({ name, online }) => [name, online]),
			[['Firefox on Linux', true]]);
	}));

test('Firefox: a revoke makes it dark, not the age of its picture, and it stays dark', { skip }, (t) =>
	withPairedPage(async (hub, page) => {
		await whole(page);
		const words = await recordWords(page);
		const start = Date.now();
		await Promise.all([hub.ask('revoke', 'Firefox on Linux'), dark(page)]);
		t.diagnostic(`dark after ${Date.now() - start} ms`);
		await nothing(page);
		assert.ok(!(await words()).some((text) => text.includes('NO PICTURE')));
		await says(page, 'was removed');
		await shot(page, 'revoked');
		await page.reload();
		await says(page, 'was removed');
		assert.equal((await seen(page)).badTiles, 200);
	}));

test('Firefox: whichever role is killed, it is live again by itself', { skip }, () =>
	withPairedPage(async (hub, page) => {
		for (const role of ['web', 'camera', 'keeper']) {
			const words = await recordWords(page);
			process.kill(hub.pid(role), 'SIGKILL');
			await until(`dark without ${role}`, async () =>
				(await words()).some((text) => !text.includes('LIVE')));
			await live(page);
			await whole(page);
		}
		const { anomalies } = await hub.ask('status');
		assert.ok(Object.values(anomalies).every((count) => count === 0),
			JSON.stringify(anomalies));
	}));

test('Firefox: a minimised window shows nothing, lets the camera go, and is live again', { skip },
	(t) => withPairedPage(async (hub, page) => {
		const window = await page.windowId();
		try {
			await browser.setWindowBounds(window, { windowState: 'minimized' });
		} catch (error) {
			if (!String(error).includes('unknown command')) {
				throw error;
			}
			t.skip('this Firefox minimises no window on command');
			return;
		}
		await dark(page);
		assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
		await until('let go', async () => (await hub.ask('cameras')).cameras[0].watchers === 0);
		await browser.setWindowBounds(window, { windowState: 'normal' });
		await live(page);
		await whole(page);
	}));
