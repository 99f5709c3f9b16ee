/** The page in Chromium against the real gateway: what a person with a camera hub lives through. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { decode } from '../opix/opix.mjs';
import { openBrowser, pixels, recordWords, tiles } from './browser.mjs';
import { RealHub } from './real_hub.mjs';
import { until } from './until.mjs';

const { SHOTS } = process.env;
/** Rows of the picture that the label leaves free, in whole tiles of the code. */
const FREE = { width: 1280, height: 640 };

async function shot(page, name) {
	if (SHOTS) {
		mkdirSync(SHOTS, { recursive: true });
		await page.screenshot({ path: `${SHOTS}/hub-${name}.png` });
	}
}

const live = (page, count = 1) => until(`${count} live`, async () =>
	(await tiles(page)).filter((text) => text.includes('LIVE')).length === count);

/** The code in the picture on the screen. */
const seen = async (page, where = FREE) => decode(await pixels(page), where);

/** Once what was painted is on the screen, too. */
const whole = (page) => until('a whole picture', async () => {
	const code = await seen(page);
	return code.ok && code;
});
const nothing = (page) => until('nothing is on the screen', async () =>
	(await seen(page)).badTiles === 200);

/** @param {object} options @param {(hub: RealHub, page: any, context: any) => Promise<void>} use */
async function withHub(options, use) {
	const hub = await new RealHub().start(options);
	const context = await openBrowser();
	try {
		await use(hub, await context.newPage(), context);
		assert.equal(await hub.stop(), 0, hub.output);
	} catch (error) {
		error.message += `\n${hub.output}`;
		throw error;
	} finally {
		await context.finish();
		await hub.stop();
	}
}

async function pair(page, link) {
	await page.goto(link);
	await page.click('button');
	await live(page);
}

test('a newcomer clicks through the warning once, taps once, and sees the camera', async () => {
	const hub = await new RealHub().start();
	const context = await openBrowser({ ignoreHTTPSErrors: false });
	try {
		const page = await context.newPage();
		await page.goto(await hub.firstLink()).catch((error) =>
			assert.match(error.message, /ERR_CERT_AUTHORITY_INVALID/));
		await page.click('#details-button');
		await shot(page, 'warning');
		await page.click('#proceed-link');
		await page.getByText('Make this browser the owner').click();
		await live(page);
		const first = await whole(page);
		assert.equal(first.tiles, 200);
		await shot(page, 'live');
		await until('it moves', async () => (await seen(page)).number > first.number);
		assert.ok(!page.url().includes('#'));
		await page.reload();
		await live(page);
		const { displays } = await hub.ask('displays');
		assert.deepEqual(displays.map(({ owner, online }) => [owner, online]), [[true, true]]);
	} finally {
		await context.finish();
		await hub.stop();
	}
});

test('a revoke makes it dark, not the age of its picture, and it stays dark', (t) => withHub({},
	async (hub, page) => {
		await pair(page, await hub.link('--name', 'Kitchen', '--cameras', 'all'));
		await whole(page);
		const words = await recordWords(page);
		const start = Date.now();
		const [{ cut_ms: cut }] = await Promise.all([hub.ask('revoke', 'Kitchen'),
			until('dark', async () => !(await tiles(page))[0].includes('LIVE'))]);
		t.diagnostic(`cut after ${cut} ms, dark after ${Date.now() - start} ms`);
		await nothing(page);
		assert.ok(!(await words()).some((text) => text.includes('NO PICTURE')));
		await until('told', () => page.getByText('was removed').isVisible());
		await shot(page, 'revoked');
		await new Promise((resolve) => {
			setTimeout(resolve, 1500);
		});
		assert.equal((await seen(page)).badTiles, 200);
		await page.reload();
		await until('told again', () => page.getByText('was removed').isVisible());
	}));

test('one camera of two is revoked: its tile says so, the other stays live', () => withHub({
	cameras: ['pattern:640x384@15', 'pattern:640x384@10'],
}, async (hub, page) => {
	await page.goto(await hub.link('--name', 'Hall', '--cameras', 'all'));
	await page.click('button');
	await live(page, 2);
	await shot(page, 'two');
	const names = (await hub.ask('cameras')).cameras.map(({ name }) => name);
	const words = await recordWords(page);
	await hub.ask('revoke', 'Hall', names[0]);
	await until('not shared', async () => (await tiles(page)).some((text) =>
		text === `${names[0]}: NOT SHARED`));
	await until('the other is live', async () => (await tiles(page)).some((text) =>
		text.startsWith(`${names[1]}: LIVE`)));
	assert.ok(!(await words()).some((text) => text.startsWith(names[1])
		&& /NOT SHARED|RECONNECTING/.test(text)));
	await hub.ask('grant', 'Hall', names[0]);
	await live(page, 2);
}));

test('whichever role is killed, it is live again by itself', () => withHub({},
	async (hub, page) => {
		await pair(page, await hub.firstLink());
		for (const role of ['web', 'camera', 'keeper']) {
			const before = hub.pid(role);
			const words = await recordWords(page);
			process.kill(before, 'SIGKILL');
			await until(`not live without ${role}`, async () =>
				(await words()).some((text) => !text.includes('LIVE')));
			await shot(page, `no-${role}`);
			await live(page);
			const now = hub.pid(role);
			assert.ok(now !== null && now !== before, role);
			assert.equal((await whole(page)).tiles, 200);
		}
		const { anomalies } = await hub.ask('status');
		assert.ok(Object.values(anomalies).every((count) => count === 0),
			JSON.stringify(anomalies));
	}));

test('one frame broken on its way is refused, shown, counted, and over with a new key', () =>
	withHub({}, async (hub, page) => {
		await pair(page, await hub.firstLink());
		const { anomalies: before } = await hub.ask('status');
		assert.ok(Object.values(before).every((count) => count === 0));
		await page.workers()[0].evaluate(() => {
			const property = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data');
			Object.defineProperty(MessageEvent.prototype, 'data', {
				...property,
				get() {
					const data = property.get.call(this);
					if (data instanceof ArrayBuffer && new Uint8Array(data)[0] === 1) {
						new Uint8Array(data)[data.byteLength - 1] ^= 1;
						Object.defineProperty(MessageEvent.prototype, 'data', property);
					}
					return data;
				},
			});
		});
		await until('counted on the tile', async () =>
			(await tiles(page))[0].includes('1 refused'));
		await live(page);
		await until('counted by the hub', async () =>
			(await hub.ask('status')).anomalies.unseal === 1);
		await shot(page, 'refused');
		assert.ok((await seen(page)).ok);
	}));

test('a used link is refused, and nothing is paired', () => withHub({}, async (hub, page) => {
	const link = await hub.firstLink();
	await pair(page, link);
	const other = await openBrowser();
	const stranger = await other.newPage();
	await stranger.goto(link);
	await stranger.click('button');
	await until('refused', () => stranger.getByText('did not accept this link').isVisible());
	await other.finish();
	assert.equal((await hub.ask('displays')).displays.length, 1);
}));

test('a display without cameras waits for one, a renamed one is renamed on the wall', () =>
	withHub({}, async (hub, page) => {
		await page.goto(await hub.link('--name', 'Bed\'s side', '--cameras', 'none'));
		await page.click('button');
		await until('none yet', () => page.getByText('No cameras are shared').isVisible());
		await shot(page, 'none');
		await hub.ask('grant', 'Bed\'s side', 'Test camera');
		await live(page);
		await hub.ask('name', 'Test camera', 'Nursery');
		await until('renamed', async () => (await tiles(page))[0].startsWith('Nursery: LIVE'));
	}));
