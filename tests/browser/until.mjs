/**
 * Waits until the check holds, and says what it was waiting for when it does not. Patient, because
 * a machine may be busy, and nothing is measured here.
 * @param {string} what @param {() => Promise<any> | any} check @param {number} [ms]
 */
export async function until(what, check, ms = 30_000) {
	const end = Date.now() + ms;
	let last;
	do {
		last = await check();
		if (last) {
			return last;
		}
		await new Promise((resolve) => {
			setTimeout(resolve, 20);
		});
	} while (Date.now() < end);
	throw new Error(`not within ${ms} ms: ${what}`);
}
