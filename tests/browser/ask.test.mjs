/** New cameras, as their owner meets them: the cards in Chromium, at the fake hub and at a real one. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { decode } from '../opix/opix.mjs';
import { openBrowser, pixels, tiles } from './browser.mjs';
import { serveFakeHub } from './fake_server.mjs';
import { RealHub } from './real_hub.mjs';
import { until } from './until.mjs';

const { SHOTS } = process.env;
const CAMERAS = [{ name: 'Front door', tag: 1, chroma: [20, -30] }];

let browser;

before(async () => {
	browser = await openBrowser();
});

after(() => browser.finish());

async function shot(page, name) {
	if (SHOTS) {
		mkdirSync(SHOTS, { recursive: true });
		await page.screenshot({ path: `${SHOTS}/ask-${name}.png` });
	}
}

const card = (page, name) => page.getByRole('region', { name: `New camera: ${name}` });
const press = (page, name, text) => card(page, name).getByRole('button', { name: text }).click();
const says = (page, text) => until(text, async () =>
	(await tiles(page)).some((said) => said.includes(text)));
const gone = (page, name) => until(`no card of ${name}`, async () =>
	await card(page, name).count() === 0);

/** A page at a fake hub, as its owner. */
async function withOwner(use, context = browser) {
	const hub = await serveFakeHub({ cameras: CAMERAS });
	const page = await context.newPage();
	try {
		await page.goto(hub.link());
		await page.click('button');
		await says(page, 'Front door: LIVE');
		await use(hub, page);
	} finally {
		await page.close();
		await hub.close();
	}
}

/** Another display of this hub. */
async function pairOther(hub, options) {
	const other = await openBrowser();
	const page = await other.newPage();
	await page.goto(hub.link(options));
	await page.fill('input', 'Hall');
	await page.click('button');
	await says(page, 'LIVE');
	return { page, finish: () => other.finish() };
}

test('a new camera is a card, and is shown on the displays that were ticked', () =>
	withOwner(async (hub, page) => {
		const hall = await pairOther(hub, { owner: false });
		hub.plugIn({ name: 'C270 (port 1.2)', tag: 2 });
		await until('the card', () => card(page, 'C270 (port 1.2)').isVisible());
		assert.match(await card(page, 'C270 (port 1.2)').innerText(), /Known by its make and port/);
		await shot(page, 'one');
		const boxes = card(page, 'C270 (port 1.2)').getByRole('checkbox');
		assert.deepEqual(await boxes.evaluateAll((all) => all.map((box) =>
			[box.parentElement.textContent.includes('this browser'), box.checked])),
		[[true, true], [false, false]]);
		assert.equal(await hall.page.locator('.ask').count(), 0, 'only owners are asked');
		await card(page, 'C270 (port 1.2)').getByLabel('Hall').check();
		await press(page, 'C270 (port 1.2)', 'Show there');
		await gone(page, 'C270 (port 1.2)');
		await says(page, 'C270 (port 1.2): LIVE');
		await says(hall.page, 'C270 (port 1.2): LIVE');
		assert.equal(hub.log.filter(({ what }) => what === 'share').length, 2);
		await hall.finish();
	}));

test('without a tick it is shown to nobody; ignored, or put off, the card goes too', () =>
	withOwner(async (hub, page) => {
		hub.plugIn({ name: 'A', tag: 2 });
		hub.plugIn({ name: 'B', tag: 3 });
		hub.plugIn({ name: 'C', tag: 4 });
		await until('three cards', async () => await page.locator('.ask').count() === 3);
		await shot(page, 'three');
		await card(page, 'A').getByRole('checkbox').uncheck();
		await press(page, 'A', 'Show to nobody');
		await gone(page, 'A');
		await press(page, 'B', 'Ignore');
		await gone(page, 'B');
		await press(page, 'C', 'Later');
		await gone(page, 'C');
		assert.deepEqual(hub.log.filter(({ what }) => ['nobody', 'ignore'].includes(what))
			.map(({ what, camera }) => `${what} ${camera}`), ['nobody A', 'ignore B']);
		await until('the one camera', async () =>
			(await tiles(page)).join() === 'Front door: LIVE');
		await page.reload();
		await until('put off, not decided', () => card(page, 'C').isVisible());
	}));

test('one that cannot be told apart is looked at, confirmed, and shown', () =>
	withOwner(async (hub, page) => {
		const camera = hub.plugIn({ name: 'Twin', tag: 9, quarantined: true });
		await until('the card', () => card(page, 'Twin').isVisible());
		assert.ok(await card(page, 'Twin').getByRole('button', { name: 'This is it' }).isDisabled());
		assert.ok(!hub.log.some(({ what }) => what === 'preview'), 'no preview without a tap');
		await press(page, 'Twin', 'Preview');
		await says(page, 'Twin: LIVE, PREVIEW');
		await shot(page, 'preview');
		await press(page, 'Twin', 'End preview');
		await until('dark', async () => (await tiles(page)).length === 1);
		await press(page, 'Twin', 'Preview');
		await says(page, 'Twin: LIVE, PREVIEW');
		await press(page, 'Twin', 'This is it');
		await gone(page, 'Twin');
		await until('live for good', async () => (await tiles(page)).includes('Twin: LIVE'));
		assert.ok(!camera.quarantined);
	}));

test('a lost connection takes the cards along, and the next brings them back', () =>
	withOwner(async (hub, page) => {
		hub.plugIn({ name: 'A', tag: 2 });
		await until('the card', () => card(page, 'A').isVisible());
		hub.faults.busy = true;
		hub.connections.forEach((connection) => connection.cut());
		await gone(page, 'A');
		hub.faults.busy = false;
		await until('the card again', () => card(page, 'A').isVisible());
	}));

test('a tile that was taken away says so, and goes by itself', () => withOwner(async (hub, page) => {
	hub.unshare(hub.cameras[0]);
	await says(page, 'NOT SHARED');
	await until('gone', async () => (await tiles(page)).length === 0, 60_000);
	assert.match(await page.locator('#notice').innerText(), /No cameras are shared/);
}));

test('the cards fit a phone and a television', async () => {
	for (const [name, options] of [
		['phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true }],
		['television', { viewport: { width: 1920, height: 1080 } }],
	]) {
		const context = await openBrowser(options);
		await withOwner(async (hub, page) => {
			hub.plugIn({ name: 'Logitech HD Webcam C270 (port 1.2)', tag: 9, quarantined: true });
			await until('the card', async () => await page.locator('.ask').count() === 1);
			await page.getByRole('button', { name: 'Preview' }).click();
			await until('two live', async () => (await tiles(page)).filter((said) =>
				said.includes('LIVE')).length === 2);
			await shot(page, name);
			const { over, height } = await page.evaluate(() => ({
				over: document.documentElement.scrollWidth > document.documentElement.clientWidth,
				height: document.querySelector('#wall').clientHeight,
			}));
			assert.ok(!over, 'nothing sticks out');
			assert.ok(height > 200, 'the wall keeps its room');
		}, context);
		await context.finish();
	}
});

test('a camera is plugged into a real hub: asked about, shown, and live', async (t) => {
	const GOOD = 'video0 card=Good usb=046d:0825 serial=A1B2C3D4 modes=MJPG:640x384@15 tag=aaaa0000\n';
	const NEW = 'video1 card=New usb=046d:0826 serial=B1B2C3D4 modes=MJPG:640x384@15 tag=bbbb0001\n';
	const hub = await new RealHub().start({ plugged: GOOD });
	const page = await browser.newPage();
	try {
		await page.goto(await hub.firstLink());
		await page.click('button');
		await says(page, 'LIVE');
		assert.equal(await page.locator('.ask').count(), 0, 'what the first owner found is its own');
		const start = Date.now();
		hub.plug(GOOD + NEW);
		await until('the card', () => card(page, 'New').isVisible());
		t.diagnostic(`from plug to card: ${Date.now() - start} ms`);
		await shot(page, 'real');
		await press(page, 'New', 'Show there');
		await until('both', async () => (await tiles(page)).filter((said) =>
			said.includes('LIVE')).length === 2);
		await gone(page, 'New');
		const { cameras } = await hub.ask('cameras');
		assert.ok(cameras.every(({ decided }) => decided));
		assert.ok(decode(await pixels(page), { left: 0, width: 640, height: 320 }) !== null);
		assert.equal(await hub.stop(), 0, hub.output);
	} catch (error) {
		error.message += `\n${hub.output}`;
		throw error;
	} finally {
		await page.close();
		await hub.stop();
	}
});
