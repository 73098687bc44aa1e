import type { Clock } from "../lib/clock.ts";
import { HttpAgent } from "../lib/http-agent.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { SecretRedactor } from "./redactor.ts";
import { value_bytes_max } from "./secret-file.ts";
import type { ValueProblem, ValueSource, ValueUse } from "./values.ts";
import { type VaultCredentials, VaultLogin } from "./vault-login.ts";

/** How a HashiCorp Vault or an OpenBao is reached. */
export interface KvVaultOptions {
	/** `https://vault.example.com:8200`, as in `VAULT_ADDR`. */
	readonly address: string;
	/** Of Vault Enterprise and OpenBao. */
	readonly namespace: string | undefined;
	/** The token that is sent, read anew for every request: an agent may have renewed it. */
	readonly token?: (() => Promise<Result<string, ValueProblem>>) | undefined;
	/** What Moorage logs in with itself, where there is no token. */
	readonly credentials?: (() => Promise<Result<VaultCredentials, ValueProblem>>) | undefined;
	readonly clock: Clock;
	readonly redactor: Pick<SecretRedactor, "add">;
	/** How long an answer is used before it is asked for again. */
	readonly keep_ms: number;
}

const request_ms_max = 10_000;
const answer_bytes_max = 1024 * 1024;
/** However often a value is wanted anew, it is asked for no more often than this. */
const fresh_ms = 5_000;
const entries_max = 1_000;

/** A version of a secret, as the KV engine of version 2 answers. */
interface KvAnswer {
	readonly data?: { readonly data?: Readonly<Record<string, unknown>> | null } | null;
	readonly errors?: readonly unknown[];
}

interface Entry {
	readonly at_ms: number;
	readonly fields: Promise<Result<Readonly<Record<string, unknown>>, ValueProblem>>;
}

/**
 * Values of `${vault:MOUNT/PATH#FIELD}`: the field of the newest version of a secret in a KV engine
 * of version 2 (`GET /v1/MOUNT/data/PATH`). Several that ask at once share one request. Answers are
 * kept for a while, failures are not; nothing is ever answered from before that while.
 */
export class KvVault implements ValueSource {
	readonly #options: KvVaultOptions;
	readonly #agent = new HttpAgent({ connect: { timeout: request_ms_max } });
	readonly #entries = new Map<string, Entry>();
	readonly #login: VaultLogin;

	constructor(options: KvVaultOptions) {
		this.#options = options;
		const { clock, redactor, credentials } = options;
		this.#login = new VaultLogin({
			clock,
			credentials: credentials ?? (() => Promise.resolve(fail(no_credentials))),
			onToken: (token) => void redactor.add(token),
			ask: (path, { token, body }) => this.#post(path, token, body),
		});
	}

	async get(body: string, use?: ValueUse): Promise<Result<string, ValueProblem>> {
		const at = body.lastIndexOf("#");
		const [path, field] = [body.slice(0, at), body.slice(at + 1)];
		const { keep_ms } = this.#options;
		const fields = await this.#fields(path, use?.fresh ? Math.min(keep_ms, fresh_ms) : keep_ms);
		if (!fields.ok) return fields;
		const value = Object.hasOwn(fields.value, field) ? fields.value[field] : undefined;
		const text = typeof value === "string" || value === undefined ? value : JSON.stringify(value);
		if (text === undefined) {
			return fail({
				message: `The secret \`${path}\` of the vault has no field \`${field}\`.`,
				next: "Look at its fields: `vault kv get`.",
			});
		}
		if (Buffer.byteLength(text) <= value_bytes_max) return succeed(text);
		return fail({
			message: `The field \`${field}\` of \`${path}\` has more than ${value_bytes_max} bytes.`,
			next: "Keep it in a file, and refer to that with `${file:PATH}`.",
		});
	}

	close(): Promise<void> {
		return this.#agent.close();
	}

	#fields(path: string, keep_ms: number): Entry["fields"] {
		const now_ms = this.#options.clock.monotonic();
		const known = this.#entries.get(path);
		if (known !== undefined && now_ms - known.at_ms < keep_ms) return known.fields;
		if (this.#entries.size >= entries_max) this.#entries.clear();
		const entry: Entry = { at_ms: now_ms, fields: this.#ask(path) };
		this.#entries.set(path, entry);
		void entry.fields.then((answer) => {
			if (!answer.ok && this.#entries.get(path) === entry) this.#entries.delete(path);
		});
		return entry.fields;
	}

	async #ask(path: string, again = false): Promise<Awaited<Entry["fields"]>> {
		const { address, redactor, token: given } = this.#options;
		const token = await (given?.() ?? this.#login.token());
		if (!token.ok) return token;
		redactor.add(token.value);
		const [mount = "", ...rest] = path.split("/");
		const url = `${encodeURIComponent(mount)}/data/${rest.map(encodeURIComponent).join("/")}`;
		try {
			const answer = await this.#agent.request(this.#url(url), this.#requestOf(token.value));
			const text = await readBounded(answer.body);
			const is_refused = answer.statusCode === 403 && given === undefined && !again;
			if (is_refused && (await this.#login.refused(token.value))) {
				return await this.#ask(path, true);
			}
			return text === undefined ? this.#nonsense(path) : this.#read(path, answer.statusCode, text);
		} catch (error) {
			return fail({
				message: `The vault at ${address} cannot be reached.`,
				next: "See whether it runs, and whether its address is right.",
				detail: String(error),
			});
		}
	}

	async #post(path: string, token: string | undefined, body: object) {
		try {
			const { headers, ...rest } = this.#requestOf(token);
			const answer = await this.#agent.request(this.#url(path), {
				...rest,
				method: "POST",
				headers: { ...headers, "content-type": "application/json" },
				body: JSON.stringify(body),
			});
			const text = await readBounded(answer.body);
			return { status: answer.statusCode, text: text ?? "" };
		} catch {
			return undefined;
		}
	}

	#url(path: string): string {
		return `${this.#options.address.replace(/\/+$/, "")}/v1/${path}`;
	}

	#requestOf(token: string | undefined) {
		const { namespace } = this.#options;
		const headers: Record<string, string> = {
			"x-vault-request": "true",
			...(token !== undefined && { "x-vault-token": token }),
			...(namespace !== undefined && { "x-vault-namespace": namespace }),
		};
		return { headers, headersTimeout: request_ms_max, bodyTimeout: request_ms_max };
	}

	#read(
		path: string,
		status: number,
		text: string,
	): Result<Readonly<Record<string, unknown>>, ValueProblem> {
		if (status >= 300 && status < 400) {
			return fail({
				message: `The vault at ${this.#options.address} redirects, as a standby node does.`,
				next: "Give the address of the active node or of its load balancer.",
			});
		}
		if (status === 200) {
			const answer = parse(text);
			const fields = answer?.data?.data;
			if (fields === undefined) return this.#nonsense(path);
			// A version that was deleted has no data, but is answered nevertheless.
			return fields === null ? missing(path) : succeed(fields);
		}
		if (status === 404) return missing(path);
		if (status === 403) {
			return fail({
				message: `The vault at ${this.#options.address} does not let this token read \`${path}\`.`,
				next: "See whether the token is still valid, and what its policy allows.",
			});
		}
		const what = status === 503 ? "is sealed or in maintenance" : `answered with ${status}`;
		return fail({
			message: `The vault at ${this.#options.address} ${what}.`,
			next: "It is asked again at the next start of the server.",
		});
	}

	#nonsense(path: string): Result<never, ValueProblem> {
		return fail({
			message: `What the vault at ${this.#options.address} says of \`${path}\` is no secret of a KV engine of version 2.`,
			next: "See whether the address and the mount are right.",
		});
	}
}

const no_credentials: ValueProblem = {
	message: "There is neither a token nor a login for the vault.",
	next: "Set `token`, `approle`, `kubernetes` or `jwt` under `secrets.vault`.",
};

function missing(path: string): Result<never, ValueProblem> {
	return fail({
		message: `The vault has no secret \`${path}\`, or its newest version was deleted.`,
		next: `Store it: \`vault kv put ${path} FIELD=-\`.`,
	});
}

function parse(text: string): KvAnswer | undefined {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== "object" || value === null) return undefined;
		const { data } = value as KvAnswer;
		if (typeof data !== "object" || data === null) return undefined;
		if (typeof data.data !== "object" || Array.isArray(data.data)) return undefined;
		return value;
	} catch {
		return undefined;
	}
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string | undefined> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of body) {
		bytes += chunk.length;
		if (bytes > answer_bytes_max) return undefined;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString();
}
