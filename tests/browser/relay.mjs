/** A network between a browser and its hub that can be made to stand still, or to lose the way. */
import { connect, createServer } from 'node:net';

export class Relay {
	#server;
	#pairs = new Set();
	/** @type {'' | 'both' | 'hub'} whose data waits */
	#stalled = '';

	/** @param {number} to port of the hub on this machine */
	async start(to) {
		this.#server = createServer((near) => {
			const far = connect(to, '127.0.0.1');
			const pair = [near, far];
			this.#pairs.add(pair);
			near.on('data', (data) => far.write(data));
			far.on('data', (data) => near.write(data));
			for (const end of pair) {
				end.on('error', () => {});
				end.on('close', () => {
					pair.forEach((other) => other.destroy());
					this.#pairs.delete(pair);
				});
			}
			this.#apply(pair);
		});
		await new Promise((resolve) => {
			this.#server.listen(0, '127.0.0.1', resolve);
		});
		this.port = this.#server.address().port;
		return this;
	}

	#apply([near, far]) {
		near[this.#stalled === 'both' ? 'pause' : 'resume']();
		far[this.#stalled === '' ? 'resume' : 'pause']();
	}

	#stall(whose) {
		this.#stalled = whose;
		this.#pairs.forEach((pair) => this.#apply(pair));
	}

	/** Nothing arrives any more, and nothing is lost: it comes later. */
	stall() {
		this.#stall('both');
	}

	/** The hub hears all answers, so that it certainly sends what will be old when it arrives. */
	stallHub() {
		this.#stall('hub');
	}

	resume() {
		this.#stall('');
	}

	stop() {
		this.#pairs.forEach((pair) => pair.forEach((end) => end.destroy()));
		this.#server.close();
	}
}
