import type { AdapterPayload } from "oidc-provider";
import { label_pattern, principal_part } from "../identity/people.ts";
import { isLoopbackHost } from "../lib/addresses.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { LoginRepository } from "../store/login-repository.ts";
import type { StoredClient } from "./adapter.ts";
import { jwt_bearer } from "./grant-types.ts";
import type { IdentityTokens } from "./identity-tokens.ts";
import type { MachineClients } from "./machine-clients.ts";
import type { Holder } from "./provider.ts";
import { type RecordOptions, Records } from "./records.ts";
import type { Revocations } from "./revocations.ts";

/** An OAuth client to be registered by hand. */
export interface NewClient {
	/** Drawn when undefined. */
	readonly client_id: string | undefined;
	readonly name: string | undefined;
	readonly redirect_uris: readonly string[];
	readonly secret: boolean;
	readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | undefined;
	/** In whose name it acts without a person. */
	readonly holder: Holder | undefined;
	/** Whether it may come with ID-JAG assertions. */
	readonly enterprise: boolean;
}

/** A client as it is seen: registered, or known because somebody has allowed it. */
export interface KnownClient {
	readonly client_id: string;
	readonly name: string | undefined;
	readonly source: "admin" | "dynamic" | "document";
	readonly redirect_uris: readonly string[];
	readonly grant_types: readonly string[];
	readonly holder: Holder | undefined;
	/** How many people have allowed it. */
	readonly grants: number;
	readonly created_at_ms: number | undefined;
}

/** What a person has allowed to a client. */
export interface KnownGrant {
	readonly id: string;
	readonly account: string;
	readonly client_id: string;
	readonly scopes: readonly string[];
	readonly resources: readonly string[];
	readonly created_at_ms: number;
	readonly expires_at_ms: number | undefined;
}

/** Why a client cannot be registered: a sentence, and the part of it that this is about. */
export interface ClientMistake {
	readonly field: "redirect_uris" | "secret" | "user" | "tenant" | "roles";
	readonly message: string;
}

/** Clients and grants in one list; more are not shown. */
const listed_max = 10_000;
const secret_bytes = 32;
const id_bytes = 9;

/** Clients and grants for those who run the gateway: to see, to register, to take back. */
export class LoginClients {
	readonly #repository: LoginRepository;
	readonly #random: Random;
	readonly #clients: Records<StoredClient>;
	readonly #grants: Records<AdapterPayload>;
	readonly #machines: MachineClients;
	readonly #revocations: Revocations | undefined;
	readonly #identities: Pick<IdentityTokens, "ended"> | undefined;

	/**
	 * `revocations` hears what is taken back, where tokens are checked, and `identities` of whom
	 * nothing is kept any more.
	 */
	constructor(
		options: RecordOptions & { readonly random: Random },
		machines: MachineClients,
		revocations?: Revocations,
		identities?: Pick<IdentityTokens, "ended">,
	) {
		this.#identities = identities;
		this.#revocations = revocations;
		this.#repository = options.repository;
		this.#random = options.random;
		this.#clients = new Records(options, "Client");
		this.#grants = new Records(options, "Grant");
		this.#machines = machines;
	}

	/** By id. */
	async list(): Promise<KnownClient[]> {
		const counts = new Map<string, number>();
		for (const { client } of await this.#grants.list(listed_max)) {
			if (client !== undefined) counts.set(client, (counts.get(client) ?? 0) + 1);
		}
		const known: KnownClient[] = [];
		for (const { body, client, created_at_ms } of await this.#clients.list(listed_max)) {
			if (client === undefined) continue;
			const { metadata, source } = body;
			known.push({
				client_id: client,
				name: textOf(metadata["client_name"]),
				source,
				redirect_uris: textsOf(metadata["redirect_uris"]),
				grant_types: textsOf(metadata["grant_types"]),
				holder: await this.#machines.holderOf(client),
				grants: counts.get(client) ?? 0,
				created_at_ms,
			});
			counts.delete(client);
		}
		for (const [client_id, grants] of counts) {
			known.push({
				client_id,
				name: undefined,
				source: "document",
				redirect_uris: [],
				grant_types: [],
				holder: undefined,
				grants,
				created_at_ms: undefined,
			});
		}
		return known.sort((a, b) => (a.client_id < b.client_id ? -1 : 1));
	}

	/** Registers a client; its secret, where it has one, is in the answer and nowhere else. */
	async add(
		given: NewClient,
	): Promise<
		Result<
			{ readonly client: KnownClient; readonly secret: string | undefined },
			"exists" | ClientMistake
		>
	> {
		const problem = checkClient(given);
		if (problem !== undefined) return fail(problem);
		// What begins with a dash would be an option on the command line: hex never does.
		const client_id = given.client_id ?? this.#random.bytes(id_bytes).toString("hex");
		const secret = given.secret
			? this.#random.bytes(secret_bytes).toString("base64url")
			: undefined;
		const metadata = metadataOf(client_id, given, secret);
		const stored: StoredClient = { metadata, source: "admin" };
		if (!(await this.#clients.add(client_id, stored, { client: client_id }))) return fail("exists");
		if (given.holder !== undefined) await this.#machines.save(client_id, given.holder);
		const client = (await this.list()).find((one) => one.client_id === client_id);
		return client === undefined ? fail("exists") : succeed({ client, secret });
	}

	/** Forgets a client and everything it was given; false where there is nothing of it. */
	async remove(client_id: string): Promise<boolean> {
		const known = (await this.list()).some((client) => client.client_id === client_id);
		// First: after a crash in between, what was given to it must not work on.
		await this.#revocations?.onClient(client_id);
		await this.#repository.removeClient(client_id);
		return known;
	}

	/** The newest first. */
	async grants(): Promise<KnownGrant[]> {
		const records = await this.#grants.list(listed_max);
		return records.map(({ id, body, account = "", client = "", created_at_ms, expires_at_ms }) => {
			const { openid, resources = {} } = body as {
				openid?: { scope?: string };
				resources?: Record<string, string>;
			};
			const texts = [openid?.scope ?? "", ...Object.values(resources)];
			const scopes = [...new Set(texts.flatMap((text) => text.split(" ")))].filter(Boolean);
			const shown = { scopes, resources: Object.keys(resources), created_at_ms, expires_at_ms };
			return { id, account, client_id: client, ...shown };
		});
	}

	/** Takes a grant back, with every token that came from it; false where there is none. */
	async removeGrant(id: string): Promise<boolean> {
		const found = await this.#repository.find("Grant", id);
		if (found === undefined) return false;
		await this.#revocations?.onGrant(id);
		await this.#repository.removeGrant(id);
		await this.#repository.remove("Grant", id);
		return true;
	}

	/** Takes access tokens of a person back, but no login: new ones say who they are now. */
	async endTokens(account: string): Promise<void> {
		await this.#revocations?.onAccount(account);
	}

	/** Ends every login of a person and takes back what they allowed. */
	async endLogins(account: string): Promise<void> {
		await this.#revocations?.onAccount(account);
		await this.#repository.removeAccount(account);
		this.#identities?.ended(account);
	}
}

function metadataOf(
	client_id: string,
	given: NewClient,
	secret: string | undefined,
): AdapterPayload {
	const { name, redirect_uris, jwks, holder, enterprise } = given;
	const interactive = redirect_uris.length > 0;
	const method =
		jwks !== undefined ? "private_key_jwt" : secret !== undefined ? "client_secret_basic" : "none";
	const grant_types = [
		...(interactive ? ["authorization_code", "refresh_token"] : []),
		...(holder === undefined ? [] : ["client_credentials"]),
		...(enterprise ? [jwt_bearer] : []),
	];
	return {
		client_id,
		...(name === undefined ? {} : { client_name: name }),
		redirect_uris: [...redirect_uris],
		grant_types,
		response_types: interactive ? ["code"] : [],
		token_endpoint_auth_method: method,
		application_type: redirect_uris.some((uri) => !uri.startsWith("https://")) ? "native" : "web",
		...(secret === undefined ? {} : { client_secret: secret }),
		...(jwks === undefined ? {} : { jwks }),
	};
}

function checkClient(given: NewClient): ClientMistake | undefined {
	const { redirect_uris, secret, jwks, holder, enterprise } = given;
	const odd = redirect_uris.find((uri) => !isRedirectUri(uri));
	if (odd !== undefined) {
		const message = `"${odd}" cannot be a redirect address: https, http on this machine, or a scheme of the program's own, without a fragment.`;
		return { field: "redirect_uris", message };
	}
	if (redirect_uris.length === 0 && holder === undefined && !enterprise) {
		const message = "A client needs redirect addresses, or a user in whose name it acts.";
		return { field: "redirect_uris", message };
	}
	if (secret && jwks !== undefined) {
		return { field: "secret", message: "A client has a secret or public keys, not both." };
	}
	if ((holder !== undefined || enterprise) && !secret && jwks === undefined) {
		const message = "A client that comes without a person needs a secret or public keys.";
		return { field: "secret", message };
	}
	return holder === undefined ? undefined : checkHolder(holder);
}

function checkHolder({ tenant, user, roles }: Holder): ClientMistake | undefined {
	const rule = "up to 64 letters, digits and any of . _ @ + - are one";
	for (const [field, part] of [
		["tenant", tenant],
		["user", user],
	] as const) {
		if (!principal_part.test(part)) {
			return { field, message: `"${part}" cannot be a name: ${rule}.` };
		}
	}
	const odd = roles.find((role) => !label_pattern.test(role));
	if (odd === undefined) return undefined;
	return { field: "roles", message: `"${odd}" cannot be the name of a role.` };
}

function isRedirectUri(uri: string): boolean {
	const url = URL.parse(uri);
	if (url === null || uri.includes("#")) return false;
	if (url.protocol === "https:") return true;
	if (url.protocol === "http:") return isLoopbackHost(url.hostname);
	return /^[a-z][a-z0-9+.-]*:$/.test(url.protocol) && !unsafe_schemes.includes(url.protocol);
}

/** Schemes that a browser runs or reads itself. */
const unsafe_schemes = ["javascript:", "data:", "vbscript:", "file:", "blob:", "about:"];

function textOf(value: unknown): string | undefined {
	return typeof value === "string" ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
	return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
