import { createHmac } from "node:crypto";
import type { HttpSpec, OAuthSubject, ServerSpec } from "../config/plan.ts";
import type { Environment } from "../lib/environment.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { callsSecret, looksSecret } from "../secrets/looks-secret.ts";
import {
	literalTemplate,
	type Reference,
	referencesIn,
	referenceText,
	templateParts,
} from "../secrets/template.ts";
import {
	type ValueOwner,
	type ValueProblem,
	type ValueSources,
	type ValueUse,
	valueOf,
} from "../secrets/values.ts";
import type { InstanceKey } from "./instance-key.ts";

/** A server as it is run: with values in the place of its references. */
export interface FilledSpec {
	readonly spec: ServerSpec;
	/** What is to be in files, by the variable that has the path of each. */
	readonly files: Readonly<Record<string, string>>;
	/**
	 * Equal for equal values, says nothing of them outside this process; undefined without any. What
	 * is in headers has no part in it: those are exchanged while the server is used.
	 */
	readonly digest: string | undefined;
}

/** What values are taken from. */
export interface SpecValuesOptions {
	readonly sources: ValueSources;
	readonly environment: Environment;
	/** Is told of every value that is secret, before anything gets it. */
	onSecret(value: string): void;
	/** Whose values the instances of a scope key get. */
	ownerOf(scope_key: string): ValueOwner;
	/** Unpredictable, and another in every process. */
	readonly digest_key: Buffer;
}

/** Puts values in the place of references when an instance is started, and no sooner. */
export class SpecValues {
	readonly #options: SpecValuesOptions;

	constructor(options: SpecValuesOptions) {
		this.#options = options;
	}

	/**
	 * The spec with the values of the gateway's environment in place: a package may be named by
	 * them, and its installation may need them. All other references are left.
	 */
	prepare(spec: ServerSpec): ServerSpec {
		if (spec.driver === "http") return spec;
		const { environment } = this.#options;
		const fill = (template: string, name = "") =>
			templateParts(template)
				.map((part) => {
					if (typeof part === "string") return literalTemplate(part);
					const value = part.kind === "env" ? environment[part.body] : undefined;
					if (value === undefined) return referenceText(part);
					this.#tell(value, part, name);
					return literalTemplate(value);
				})
				.join("");
		const env = mapValues(spec.env, fill);
		return { ...spec, args: spec.args.map((arg) => fill(arg)), env };
	}

	/**
	 * Every value that an instance needs, or why one of them cannot be had. `fresh`: what was known
	 * before was refused.
	 */
	async fillIn(
		spec: ServerSpec,
		key: Pick<InstanceKey, "server" | "scope_key">,
		{ fresh = false }: { readonly fresh?: boolean } = {},
	): Promise<Result<FilledSpec, ValueProblem>> {
		const use = { server: key.server, owner: this.#options.ownerOf(key.scope_key), fresh };
		const filling = new Filling(this.#options.sources, use, (value, reference, name) =>
			this.#tell(value, reference, name),
		);
		const filled = spec.driver === "http" ? await filling.http(spec) : await filling.local(spec);
		if (filling.problem !== undefined) return fail(filling.problem);
		const { files = {}, ...rest } = filled as ServerSpec & { files?: Record<string, string> };
		const digest = specReferences(spec).length === 0 ? undefined : this.#digest(filling.values);
		return succeed({ spec: rest, files, digest });
	}

	#digest(values: readonly string[]): string {
		const hash = createHmac("sha256", this.#options.digest_key);
		for (const value of values) hash.update(`${value.length}:${value}`);
		return hash.digest("base64url");
	}

	/** Variables of the environment hold more than secrets: a path, say, is shown as it is. */
	#tell(value: string, reference: Reference, name: string): void {
		const open = reference.kind === "env" || reference.kind === "envfile";
		const body = reference.body.slice(reference.body.lastIndexOf("#") + 1);
		if (open && !callsSecret(body) && !looksSecret(value, name)) return;
		this.#options.onSecret(value);
	}
}

/** The filling of one spec. After the first problem nothing more is asked for. */
class Filling {
	problem: ValueProblem | undefined;
	/** Those that only another instance would use. */
	readonly values: string[] = [];
	readonly #sources: ValueSources;
	readonly #use: ValueUse;
	readonly #tell: (value: string, reference: Reference, name: string) => void;

	constructor(
		sources: ValueSources,
		use: ValueUse,
		tell: (value: string, reference: Reference, name: string) => void,
	) {
		this.#sources = sources;
		this.#use = use;
		this.#tell = tell;
	}

	async local<Spec extends Exclude<ServerSpec, HttpSpec>>(spec: Spec): Promise<Spec> {
		const files = "files" in spec ? await this.#map(spec.files) : undefined;
		const args: string[] = [];
		for (const arg of spec.args) args.push(await this.#fill(arg, ""));
		const env = await this.#map(spec.env);
		return { ...spec, args, env, ...(files !== undefined && { files }) };
	}

	async http(spec: HttpSpec): Promise<HttpSpec> {
		const headers = mapValues(await this.#map(spec.headers), (value) => value.trim());
		this.values.length = 0;
		const url = await this.#fill(spec.url, "");
		const bad = Object.entries(headers).find(([, value]) => /[^\t\x20-\x7e\x80-\xff]/.test(value));
		if (bad !== undefined) {
			this.problem ??= {
				message: `The value of the header \`${bad[0]}\` cannot be sent: it is not one line of text.`,
				next: "Store it again without line breaks.",
			};
		}
		if (!URL.canParse(url)) {
			const next = "Correct the value that is part of it.";
			this.problem ??= { message: "The `url` is not an address once it is put together.", next };
		}
		const { auth } = spec;
		if (auth === undefined) return { ...spec, url, headers };
		const part = (name: "client_secret" | "private_key") => {
			const template = auth[name];
			return template === undefined ? undefined : this.#fill(template, name);
		};
		const client_secret = await part("client_secret");
		const private_key = await part("private_key");
		const filled = { ...spec, url, headers, auth: { ...auth, client_secret, private_key } };
		if (auth.subject === undefined) return filled;
		return { ...filled, auth: { ...filled.auth, subject: await this.#subject(auth.subject) } };
	}

	async #subject({ client_secret: secret, token, ...rest }: OAuthSubject): Promise<OAuthSubject> {
		const client_secret =
			secret === undefined ? undefined : await this.#fill(secret, "client_secret");
		return { ...rest, client_secret, token: (await this.#fill(token, "token")).trim() };
	}

	async #map(templates: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
		const filled: Record<string, string> = {};
		for (const [name, template] of Object.entries(templates)) {
			filled[name] = await this.#fill(template, name);
		}
		return filled;
	}

	async #fill(template: string, name: string): Promise<string> {
		let text = "";
		for (const part of templateParts(template)) {
			if (typeof part === "string") text += part;
			else if (this.problem === undefined) text += await this.#value(part, name);
		}
		if (text.includes("\0")) {
			this.problem ??= { message: "A value holds a NUL character.", next: "Store it again." };
		}
		return text;
	}

	async #value(reference: Reference, name: string): Promise<string> {
		const value = await valueOf(reference, this.#sources, this.#use);
		if (!value.ok) {
			this.problem = value.problem;
			return "";
		}
		this.#tell(value.value, reference, name);
		this.values.push(value.value);
		return value.value;
	}
}

/** A text of a spec in which references may stand, and what the server gets it as. */
export interface SpecText {
	/** `env GITHUB_TOKEN`, `header Authorization`, `argument 2`, ... */
	readonly place: string;
	readonly text: string;
}

/** Every text of a spec in which references may stand. */
export function specTexts(spec: ServerSpec): SpecText[] {
	const named = (what: string, texts: Readonly<Record<string, string>> = {}) =>
		Object.entries(texts).map(([name, text]) => ({ place: `${what} ${name}`, text }));
	if (spec.driver === "http") {
		return [
			{ place: "url", text: spec.url },
			...named("header", spec.headers),
			{ place: "oauth client_secret", text: spec.auth?.client_secret ?? "" },
			{ place: "oauth private_key", text: spec.auth?.private_key ?? "" },
			{ place: "oauth subject client_secret", text: spec.auth?.subject?.client_secret ?? "" },
			{ place: "oauth subject token", text: spec.auth?.subject?.token ?? "" },
		];
	}
	return [
		...spec.args.map((text, index) => ({ place: `argument ${index + 1}`, text })),
		...named("env", spec.env),
		...(spec.driver === "stdio" ? named("file", spec.files) : []),
	];
}

/** All references of a spec. */
export function specReferences(spec: ServerSpec): Reference[] {
	return specTexts(spec).flatMap(({ text }) => referencesIn(text));
}

function mapValues(
	texts: Readonly<Record<string, string>>,
	change: (text: string, name: string) => string,
): Record<string, string> {
	return Object.fromEntries(
		Object.entries(texts).map(([name, text]) => [name, change(text, name)]),
	);
}
