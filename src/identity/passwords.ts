import { argon2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Random } from "../lib/random.ts";

/** RFC 9106 section 4 and OWASP: 19 MiB, two passes, one lane; some 30 ms. */
const memory_kib = 19_456;
const passes = 2;
const lanes = 1;
const salt_bytes = 16;
const tag_bytes = 32;
/** Hashes computed at one time; each holds 19 MiB and a core. */
const at_once_max = 2;
/** Hashes that may wait for their turn. */
const waiting_max = 16;

/** Shorter ones are refused when they are chosen. */
export const password_chars_min = 8;
/** Longer ones are refused unread: hashing them would cost for nothing. */
export const password_chars_max = 1_024;

const phc =
	/^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const derive = promisify(argon2);

/** Too many passwords are being checked at once. */
export class PasswordsBusy extends Error {}

/** Hashes passwords with Argon2id and checks them, a few at a time. */
export class Passwords {
	readonly #random: Random;
	#running = 0;
	readonly #waiting: (() => void)[] = [];
	/** Of no password: checked where there is no user, so that the time taken tells nothing. */
	#nobody: Promise<string> | undefined;

	constructor(random: Random) {
		this.#random = random;
	}

	/** The hash of a password in PHC form. Rejects with `PasswordsBusy`. */
	async hash(password: string): Promise<string> {
		const salt = this.#random.bytes(salt_bytes);
		const tag = await this.#derive(password, salt, { memory_kib, passes, lanes, tag_bytes });
		const cost = `m=${memory_kib},t=${passes},p=${lanes}`;
		return `$argon2id$v=19$${cost}$${unpadded(salt)}$${unpadded(tag)}`;
	}

	/**
	 * Whether a password is the one of a hash. Without a hash the answer is no, after as long.
	 * Rejects with `PasswordsBusy`.
	 */
	async verify(password: string, hash: string | undefined): Promise<boolean> {
		this.#nobody ??= this.hash(this.#random.bytes(salt_bytes).toString("base64url"));
		const match = phc.exec(hash ?? (await this.#nobody));
		if (match === null) return false;
		const [, memory, time, parallel, salt = "", expected = ""] = match;
		const tag = Buffer.from(expected, "base64");
		const cost = {
			memory_kib: Number(memory),
			passes: Number(time),
			lanes: Number(parallel),
			tag_bytes: tag.length,
		};
		const found = await this.#derive(password, Buffer.from(salt, "base64"), cost);
		return timingSafeEqual(found, tag) && hash !== undefined;
	}

	async #derive(
		password: string,
		nonce: Buffer,
		cost: { memory_kib: number; passes: number; lanes: number; tag_bytes: number },
	): Promise<Buffer> {
		await this.#turn();
		try {
			return await derive("argon2id", {
				// One person's keyboard composes characters otherwise than another's.
				message: password.normalize("NFKC"),
				nonce,
				parallelism: cost.lanes,
				tagLength: cost.tag_bytes,
				memory: cost.memory_kib,
				passes: cost.passes,
			});
		} finally {
			const next = this.#waiting.shift();
			if (next === undefined) this.#running -= 1;
			else next();
		}
	}

	async #turn(): Promise<void> {
		if (this.#running < at_once_max) {
			this.#running += 1;
			return;
		}
		if (this.#waiting.length >= waiting_max) throw new PasswordsBusy("too many passwords");
		// Whoever ends hands its place over.
		await new Promise<void>((resolve) => {
			this.#waiting.push(resolve);
		});
	}
}

function unpadded(bytes: Buffer): string {
	return bytes.toString("base64").replaceAll("=", "");
}
