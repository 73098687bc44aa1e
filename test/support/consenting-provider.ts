import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fixturePath } from "./fixtures.ts";
import { Browser, type Visit } from "./login-scene.ts";

/** A service that people have accounts at, in a process of its own. */
export interface ConsentingProvider {
	readonly issuer: string;
	/** How many tokens of an account are good. */
	tokensOf(account: string): Promise<number>;
	/** How many requests for its server had a text among their headers. */
	sent(text: string): Promise<number>;
	/** Registers a client by hand (RFC 7591). */
	register(
		metadata: Readonly<Record<string, unknown>>,
	): Promise<{ readonly client_id: string; readonly client_secret: string }>;
	/** How often something was asked for. */
	requests(path: string): Promise<number>;
	stop(): Promise<void>;
}

/**
 * Starts one; `keeps-tokens` cannot be told that a token is to end, `exchanges=ISSUER` takes the
 * word of another issuer.
 */
export async function startConsentingProvider(
	...args: ("keeps-tokens" | `exchanges=${string}`)[]
): Promise<ConsentingProvider> {
	const child = spawn(process.execPath, [fixturePath("consenting-provider"), ...args], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const line = async () => {
		const { value } = await lines.next();
		if (typeof value !== "string") throw new Error("the provider has ended");
		return value;
	};
	const issuer = await line();
	const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	const ask = async (command: string) => {
		child.stdin.write(`${command}\n`);
		const answer = Number(await line());
		// Nothing is equal to what is no number, or everything: a test would not see that.
		if (!Number.isInteger(answer)) throw new Error(`no answer to ${command}`);
		return answer;
	};
	return {
		issuer,
		tokensOf: (account) => ask(`tokens ${account}`),
		sent: (text) => ask(`sent ${text}`),
		async register(metadata) {
			const response = await fetch(`${issuer}/reg`, {
				method: "POST",
				headers: { "content-type": "application/json" },
				body: JSON.stringify(metadata),
			});
			if (response.status !== 201) throw new Error(await response.text());
			return (await response.json()) as { client_id: string; client_secret: string };
		},
		requests: (path) => ask(`requests ${path}`),
		async stop() {
			child.stdin.end();
			await exited;
		},
	};
}

/** A person in front of a browser: they follow links, and answer what pages ask of them. */
export class PersonInBrowser {
	readonly #browser: Browser;
	readonly #origin: string;
	readonly #public: string;

	/** `origin` is that of the gateway, `public_url` what it is called by everybody else. */
	constructor(origin: string, public_url = origin) {
		this.#origin = origin;
		this.#public = public_url;
		this.#browser = new Browser(origin);
	}

	/** Opens a page, wherever redirects lead, but not further than to `stop`, a path. */
	async open(address: string | URL, init: RequestInit = {}, stop?: string): Promise<Visit> {
		let visit = await this.#browser.visit(this.#reach(address), init);
		for (let hops = 0; hops < 12; hops += 1) {
			if (visit.location === undefined || visit.location.pathname === stop) return visit;
			visit = await this.#browser.visit(this.#reach(visit.location));
		}
		throw new Error("redirects without end");
	}

	/** The public address leads to the gateway, as it would through what stands in front. */
	#reach(address: string | URL): URL {
		const url = new URL(address, this.#origin);
		if (url.origin !== this.#public) return url;
		return new URL(url.pathname + url.search, this.#origin);
	}

	/** Answers the form of a page that has these fields, with its hidden ones. */
	answer(
		page: Visit,
		fields: Readonly<Record<string, string>> = {},
		stop?: string,
	): Promise<Visit> {
		const forms = [...page.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)];
		const names = Object.keys(fields).filter((name) => !["csrf", "seen"].includes(name));
		const fitting = (text: string) => names.every((name) => text.includes(`name="${name}"`));
		const [, about = "", inside = ""] = forms.find(([text]) => fitting(text)) ?? [];
		const hidden = [...inside.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)];
		const kept = Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value]));
		const action = /action="([^"]+)"/.exec(about)?.[1] ?? page.url;
		const body = new URLSearchParams({ ...kept, ...fields });
		return this.open(new URL(action, page.url), { method: "POST", body }, stop);
	}

	/** Opens a link to the page of a server, signed in with a key, as far as the page goes. */
	async signIn(address: string, credential: string): Promise<Visit> {
		const page = await this.open(address);
		return page.status === 401 ? this.answer(page, { credential }) : page;
	}

	/** Agrees on our page: where that leads to. */
	async leave(page: Visit): Promise<string> {
		const leaving = await this.answer(page);
		const next = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(leaving.text)?.[1];
		if (next === undefined) throw new Error(`no way on: ${leaving.text}`);
		return next.replaceAll("&amp;", "&");
	}

	/** Agrees on our page: what the issuer asks next, on a page of its own. */
	async agree(page: Visit): Promise<Visit> {
		return this.open(await this.leave(page));
	}

	/** All of it: ends on our page, after the issuer has led back. */
	async connect(address: string, credential: string, account: string): Promise<Visit> {
		const page = await this.signIn(new URL(address, this.#origin).href, credential);
		return this.answer(await this.agree(page), { account });
	}
}
