/** The page in Chromium against the fake hub: every state of it, as a person sees it. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decode } from '../opix/opix.mjs';
import { openBrowser, pixels, tiles } from './browser.mjs';
import { serveFakeHub } from './fake_server.mjs';
import { until } from './until.mjs';
import { HPKE, SFRAME, checkHpke, checkSframe } from './vectors.mjs';

/** With SHOTS=DIRECTORY each state is also kept as a picture, for people to look at. */
const { SHOTS } = process.env;
const FULL = { width: 1280, height: 704 };

let browser;

before(async () => {
	browser = await openBrowser();
});

after(() => browser.finish());

async function shot(page, name) {
	if (SHOTS) {
		mkdirSync(SHOTS, { recursive: true });
		await page.screenshot({ path: `${SHOTS}/${name}.png` });
	}
}

/** A page whose every complaint fails the test. */
async function openPage(context = browser) {
	const page = await context.newPage();
	page.complaints = [];
	page.on('pageerror', (error) => page.complaints.push(String(error)));
	page.on('console', (message) => {
		if (/Content Security Policy|TrustedScript|Uncaught/.test(message.text())) {
			page.complaints.push(message.text());
		}
	});
	return page;
}

const notice = (page) => page.locator('#notice').innerText();
const says = (page, text) => until(text, async () => (await page.locator('#notice').isVisible())
	&& (await notice(page)).includes(text));
const live = (page, count = 1) => until(`${count} live`, async () =>
	(await tiles(page)).filter((text) => text.includes('LIVE')).length === count);

async function withHub(options, use) {
	const hub = await serveFakeHub(options);
	const page = await openPage();
	try {
		await use(hub, page);
		assert.deepEqual(page.complaints, []);
	} finally {
		await page.close();
		await hub.close();
	}
}

async function pairedPage(hub, page, link = hub.link()) {
	await page.goto(link);
	await page.click('button');
	await until('paired', async () => !page.url().includes('#'));
}

test('the official vectors pass in the browser', () => withHub({}, async (hub, page) => {
	await page.goto(hub.origin);
	const run = (check, module, vectors) => page.evaluate(
		`(async () => (${check})(await import('/${module}'), ${JSON.stringify(vectors)}))()`);
	assert.ok(await run(checkSframe, 'sframe.js', SFRAME) >= 290);
	assert.equal(await run(checkHpke, 'hpke.js', HPKE), 4);
}));

test('a link is spent by the tap only, and leaves the address bar', () => withHub({
	cameras: [{ name: 'Front door', tag: 77, ...FULL }],
}, async (hub, page) => {
	await page.goto(hub.link());
	await says(page, 'Make this browser the owner');
	assert.match(await notice(page), new RegExp(`127.0.0.1:${hub.port}`));
	await shot(page, 'pair-owner');
	assert.equal(hub.connections.size, 0, 'looking at the page does nothing');
	assert.equal(hub.links.size, 1);
	await page.click('button');
	await live(page);
	assert.equal(page.url(), `${hub.origin}/`);
	assert.equal(hub.links.size, 0);
	const seen = await until('it is on the screen', async () => {
		const code = decode(await pixels(page), { top: 8, ...FULL, height: 640 });
		return code.ok && code;
	});
	assert.ok(seen.tag === 77 && seen.tiles === 200, JSON.stringify(seen));
	await shot(page, 'live-one');
	await page.reload();
	await live(page);
	assert.equal(hub.displays.size, 1, 'the pairing outlives the page');
}));

test('keys cannot be read, not even by our own page', () => withHub({}, async (hub, page) => {
	await pairedPage(hub, page);
	await live(page);
	const kept = await page.evaluate(async () => {
		const settled = (request) => new Promise((resolve) => {
			request.onsuccess = () => resolve(request.result);
		});
		const database = await settled(indexedDB.open('camgate', 1));
		const { identity } = await settled(database.transaction('pairings')
			.objectStore('pairings').get('paired'));
		const tries = [identity.signing, identity.kem].map((key) =>
			crypto.subtle.exportKey('pkcs8', key).then(() => 'out', (error) => error.name));
		return Promise.all(tries);
	});
	assert.deepEqual(kept, ['InvalidAccessError', 'InvalidAccessError']);
}));

test('a display link says so, a broken one too, a used one as well', () => withHub({},
	async (hub, page) => {
		const link = hub.link({ owner: false });
		await page.goto(link);
		await says(page, 'Show cameras here');
		await shot(page, 'pair-display');
		await page.goto('about:blank');
		await page.goto(link.slice(0, -3));
		await says(page, 'not complete');
		await shot(page, 'link-incomplete');
		await page.goto('about:blank');
		hub.links.clear();
		await page.goto(link);
		await page.click('button');
		await says(page, 'did not accept this link');
		await shot(page, 'link-refused');
	}));

test('without a pairing it says what to do, with lost keys that they are lost', () => withHub({},
	async (hub, page) => {
		await page.goto(hub.origin);
		await says(page, 'not paired');
		await shot(page, 'unpaired');
		await pairedPage(hub, page);
		await live(page);
		await page.goto('about:blank');
		const other = await openPage();
		await other.goto(`${hub.origin}/icon.svg`);
		await other.evaluate(() => new Promise((resolve) => {
			indexedDB.deleteDatabase('camgate').onsuccess = resolve;
		}));
		await other.close();
		await page.goto(hub.origin);
		await says(page, 'forgot its pairing');
		await shot(page, 'forgotten');
	}));

test('a paired browser may keep its pairing when another link is opened', () => withHub({},
	async (hub, page) => {
		await pairedPage(hub, page);
		await live(page);
		await page.goto('about:blank');
		await page.goto(hub.link({ owner: false }));
		await says(page, 'paired already');
		await shot(page, 'pair-again');
		await page.click('button.quiet');
		await live(page);
		assert.equal(hub.links.size, 1);
	}));

test('a wall shows each camera on its own tile', () => withHub({ cameras: [
	{ name: 'Front door', tag: 1, chroma: [20, -30] },
	{ name: 'Workshop', tag: 2, chroma: [-30, 25], width: 1280, height: 704 },
	{ name: 'Test camera', tag: 3, test: true },
	{ name: 'Driveway, the one over the garage that looks at the street', tag: 4, fps: 5 },
] }, async (hub, page) => {
	await pairedPage(hub, page);
	await live(page, 4);
	hub.cameras[0].flags |= 1;
	hub.cameras[1].ready = false;
	hub.changed(hub.cameras[1]);
	await until('offline', async () => (await tiles(page))[1].includes('OFFLINE'));
	hub.unshare(hub.cameras[3]);
	await until('not shared', async () => (await tiles(page))[3].includes('NOT SHARED'));
	await until('frozen', async () => (await tiles(page))[0].includes('FROZEN'));
	await shot(page, 'wall');
	await until('a test picture', async () => /LIVE, TEST PICTURE/.test((await tiles(page))[2]));
}));

test('a lost connection goes dark, is named, and comes back', () => withHub({},
	async (hub, page) => {
		await pairedPage(hub, page);
		await live(page);
		hub.faults.busy = true;
		hub.connections.forEach((connection) => connection.cut());
		await until('marked', async () => (await tiles(page))[0].includes('RECONNECTING'));
		await until('the line', () => page.locator('#strip').isVisible());
		await shot(page, 'reconnecting');
		hub.faults.busy = false;
		await live(page);
		await until('no line', async () => !await page.locator('#strip').isVisible());
	}));

test('a silent hub: seconds ago, then nothing', () => withHub({}, async (hub, page) => {
	await pairedPage(hub, page);
	await live(page);
	hub.faults.mute = true;
	await until('ago', async () => /[2-4] s ago/.test((await tiles(page))[0]));
	await shot(page, 'ago');
	await until('blank', async () => (await tiles(page))[0].includes('NO PICTURE'));
	await shot(page, 'blank');
}));

test('a broken frame is refused and counted', () => withHub({}, async (hub, page) => {
	await pairedPage(hub, page);
	await live(page);
	hub.faults.corrupt = 1;
	await until('counted', async () => (await tiles(page))[0].includes('LIVE, 1 refused'));
	await shot(page, 'refused-frame');
}));

test('a page that cannot be seen shows nothing, and is live again when it can', () => withHub({},
	async (hub, page) => {
		await pairedPage(hub, page);
		await live(page);
		const setVisibility = (state) => page.evaluate((value) => {
			Object.defineProperty(document, 'visibilityState', { value, configurable: true });
			document.dispatchEvent(new Event('visibilitychange'));
		}, state);
		await setVisibility('hidden');
		await until('blank', async () => !(await tiles(page))[0].includes('LIVE'));
		await until('let go', () => hub.log.some(({ what }) => what === 'unwatch'));
		await setVisibility('visible');
		await live(page);
	}));

test('a removed browser is dark and told', () => withHub({}, async (hub, page) => {
	await pairedPage(hub, page);
	await live(page);
	hub.revokeAll();
	await until('dark', async () => !(await tiles(page))[0].includes('LIVE'));
	await says(page, 'was removed');
	await shot(page, 'removed');
}));

test('no cameras yet, and one that is shared later', () => withHub({}, async (hub, page) => {
	await pairedPage(hub, page, hub.link({ cameras: [] }));
	await says(page, 'No cameras are shared');
	await shot(page, 'no-cameras');
	hub.displays.forEach((display) => display.cameras.add(hub.cameras[0].name));
	hub.changed(hub.cameras[0]);
	await live(page);
	assert.ok(!await page.locator('#notice').isVisible());
}));

test('another hub at the same address is refused loudly', async () => {
	const hub = await serveFakeHub();
	const page = await openPage();
	await pairedPage(hub, page);
	await live(page);
	await hub.close();
	await until('the line', () => page.locator('#strip').isVisible());
	const other = await serveFakeHub({ port: hub.port });
	await says(page, 'not the hub this browser knows');
	await shot(page, 'wrong-hub');
	assert.deepEqual(other.log, []);
	await page.close();
	await other.close();
});

test('a page whose websocket never opens is told about the certificate', () => withHub({},
	async (hub, page) => {
		await pairedPage(hub, page);
		await live(page);
		await page.goto('about:blank');
		hub.faults.noSocket = true;
		await page.goto(hub.origin);
		await says(page, 'the live connection did not');
		assert.equal(await page.locator('#notice a').getAttribute('href'), '/ca.crt');
		await shot(page, 'no-socket');
		hub.faults.noSocket = false;
		await live(page);
	}));

test('a browser that lacks something is told what', () => withHub({}, async (hub, page) => {
	await page.addInitScript(() => {
		delete window.OffscreenCanvas;
	});
	await page.goto(hub.origin);
	await says(page, 'OffscreenCanvas');
	await shot(page, 'lacking');
}));

test('it fits a phone and a television', async () => {
	const hub = await serveFakeHub({ cameras: [{ name: 'Front door', tag: 1, chroma: [20, -30] },
		{ name: 'Workshop', tag: 2, chroma: [-30, 25] }, { name: 'Garden', tag: 3 }] });
	for (const [name, options] of [
		['phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true }],
		['television', { viewport: { width: 1920, height: 1080 } }],
	]) {
		const context = await openBrowser(options);
		const page = await openPage(context);
		await page.goto(hub.link());
		await says(page, 'Make this browser');
		await shot(page, `${name}-pair`);
		await page.click('button');
		await live(page, 3);
		await shot(page, `${name}-wall`);
		const overflow = await page.evaluate(() => document.documentElement.scrollWidth
			> document.documentElement.clientWidth);
		assert.ok(!overflow);
		await context.finish();
	}
	await hub.close();
});
