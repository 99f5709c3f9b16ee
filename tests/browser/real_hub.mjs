/** The real gateway, started as a user would, for the tests that look at it through the page. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './until.mjs';

const CAMGATE = process.env.CAMGATE
	?? fileURLToPath(new URL('../../build/camgate', import.meta.url));
const run = promisify(execFile);

export class RealHub {
	output = '';
	#state = mkdtempSync(join(tmpdir(), 'camgate-hub-'));
	#process;

	/**
	 * @param {{cameras?: string[], listen?: string, plugged?: string}} [options]
	 *     plugged: fake cameras (tests/fakecam/README.md), found as real ones are
	 */
	async start({ plugged, cameras = plugged === undefined ? ['pattern'] : [],
		listen = '127.0.0.1:0' } = {}) {
		const env = { ...process.env };
		if (plugged !== undefined) {
			this.plug(plugged);
			env.FAKECAM = join(this.#state, 'fakecam');
			env.LD_PRELOAD = join(dirname(CAMGATE), 'tests/fakecam/libfakecam.so');
		}
		this.#process = spawn(CAMGATE, ['run', '--state', this.#state, '--listen', listen,
			...cameras.flatMap((camera) => ['--camera', camera])], { env });
		this.ended = new Promise((resolve) => {
			this.#process.on('exit', (code, signal) => resolve(code ?? signal));
		});
		for (const stream of [this.#process.stdout, this.#process.stderr]) {
			stream.on('data', (data) => {
				this.output += data;
			});
		}
		this.#process.on('error', (error) => {
			this.output += error;
		});
		try {
			await until('the hub listens', () => /listening on \S+:\d+/.test(this.output));
		} catch (error) {
			throw new Error(`${error.message}\n${this.output}`);
		}
		return this;
	}

	/** From now on these fake cameras are there. @param {string} lines */
	plug(lines) {
		writeFileSync(join(this.#state, 'fakecam.new'), lines);
		renameSync(join(this.#state, 'fakecam.new'), join(this.#state, 'fakecam'));
	}

	/** The link that the first start prints. */
	firstLink() {
		return until('the first link', () => /https:\S+#pair=\S+/.exec(this.output)?.[0]);
	}

	/** An administration command, as JSON. @param {...string} words */
	async ask(...words) {
		const { stdout } = await run(CAMGATE, [...words, '--state', this.#state, '--json']);
		return JSON.parse(stdout);
	}

	/** @param {...string} words of camgate pair */
	async link(...words) {
		return (await this.ask('pair', ...words)).links[0];
	}

	/** The process of one role, a child of ours. @param {string} role */
	pid(role) {
		const isRole = (pid) => {
			try {
				const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
				const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
				const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
				return parent === this.#process.pid && words[1] === role;
			} catch {
				return false; /* gone meanwhile */
			}
		};
		const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isRole(name));
		return pid === undefined ? null : Number(pid);
	}

	async stop() {
		this.#process.kill('SIGINT');
		const code = await this.ended;
		rmSync(this.#state, { recursive: true, force: true });
		return code;
	}
}
