import type { Adapter, AdapterPayload } from "oidc-provider";
import { hashId, type RecordOptions, Records } from "./records.ts";

/** A client's metadata, and who put it there. */
export interface StoredClient {
	readonly metadata: AdapterPayload;
	/** `admin`: by hand. `dynamic`: by the client itself (RFC 7591). */
	readonly source: "admin" | "dynamic";
}

/** How many there may be of what anybody can make by asking. */
const counts_max: Readonly<Record<string, number>> = {
	Interaction: 10_000,
	Session: 100_000,
	Client: 1_000,
	ReplayDetection: 100_000,
};

/** Grants that a client which registered itself may ask for. */
const dynamic_grants: readonly unknown[] = ["authorization_code", "refresh_token"];
/** A client that registered itself is forgotten when nobody has used it for so long. */
const dynamic_client_s = 90 * 24 * 60 * 60;
/** One that nobody has allowed yet is forgotten soon: whoever asks can make as many as may be. */
const unused_client_s = 24 * 60 * 60;

/** The library's own errors, which only those who have loaded it can make. */
export interface AdapterErrors {
	full(): Error;
	usedTwice(): Error;
	refusedClient(reason: string): Error;
}

/** Makes what oidc-provider keeps its models in. */
export function adapterFactory(
	options: RecordOptions,
	errors: AdapterErrors,
): (kind: string) => Adapter {
	return (kind) =>
		kind === "Client"
			? new ClientAdapter(options, errors)
			: new RecordAdapter(options, kind, errors);
}

/** Models of one kind as sealed records. */
class RecordAdapter implements Adapter {
	readonly #options: RecordOptions;
	readonly #records: Records<AdapterPayload>;
	readonly #kind: string;
	readonly #errors: AdapterErrors;

	constructor(options: RecordOptions, kind: string, errors: AdapterErrors) {
		this.#options = options;
		this.#records = new Records(options, kind);
		this.#kind = kind;
		this.#errors = errors;
	}

	async upsert(id: string, payload: AdapterPayload, expires_in_s: number): Promise<void> {
		await refuseWhenFull(this.#records, this.#kind, id, this.#errors);
		const { grantId, uid, accountId, clientId } = payload;
		await this.#records.save(id, payload, {
			grant_id: grantId,
			uid: this.#kind === "Session" ? uid : undefined,
			account: accountId,
			client: clientId,
			ttl_s: expires_in_s,
		});
		if (this.#kind === "Grant" && clientId !== undefined) await this.#keepClient(clientId);
	}

	async find(id: string): Promise<AdapterPayload | undefined> {
		return withUse(await this.#records.find(id));
	}

	async findByUid(uid: string): Promise<AdapterPayload | undefined> {
		return withUse(await this.#records.findByUid(uid));
	}

	/** Codes of devices are not given out. */
	async findByUserCode(): Promise<undefined> {
		return undefined;
	}

	/** Of two who use the same thing at the same moment, one is refused. */
	async consume(id: string): Promise<void> {
		if (!(await this.#records.consume(id))) throw this.#errors.usedTwice();
	}

	async destroy(id: string): Promise<void> {
		await this.#records.remove(id);
	}

	async revokeByGrantId(grant_id: string): Promise<void> {
		await this.#options.repository.removeGrant(hashId(grant_id));
	}

	/** A client that somebody uses is not forgotten. */
	async #keepClient(client_id: string): Promise<void> {
		const clients = new Records<StoredClient>(this.#options, "Client");
		const found = await clients.find(client_id);
		if (found?.body.source !== "dynamic") return;
		await clients.save(client_id, found.body, { client: client_id, ttl_s: dynamic_client_s });
	}
}

/** Clients, which have ids that everybody may know. */
class ClientAdapter implements Adapter {
	readonly #records: Records<StoredClient>;
	readonly #errors: AdapterErrors;

	constructor(options: RecordOptions, errors: AdapterErrors) {
		this.#records = new Records(options, "Client");
		this.#errors = errors;
	}

	/** Only a client that registers itself comes this way. */
	async upsert(id: string, metadata: AdapterPayload): Promise<void> {
		const grants = (metadata["grant_types"] as unknown[] | undefined) ?? [];
		if (!grants.every((grant) => dynamic_grants.includes(grant))) {
			throw this.#errors.refusedClient(
				"grant_types of a client that registers itself are authorization_code and refresh_token",
			);
		}
		await refuseWhenFull(this.#records, "Client", id, this.#errors);
		const stored: StoredClient = { metadata, source: "dynamic" };
		await this.#records.save(id, stored, { client: id, ttl_s: unused_client_s });
	}

	/**
	 * The scopes that a client has registered itself with are what it knew of then, and would keep it
	 * from ever asking for more (RFC 7591 section 2 leaves them to the server): the person decides.
	 */
	async find(id: string): Promise<AdapterPayload | undefined> {
		const found = (await this.#records.find(id))?.body;
		if (found?.source !== "dynamic") return found?.metadata;
		const { scope: _known, ...metadata } = found.metadata;
		return metadata;
	}

	async findByUid(): Promise<undefined> {
		return undefined;
	}

	async findByUserCode(): Promise<undefined> {
		return undefined;
	}

	async consume(): Promise<void> {}

	async destroy(id: string): Promise<void> {
		await this.#records.remove(id);
	}

	async revokeByGrantId(): Promise<void> {}
}

async function refuseWhenFull(
	records: Records<never> | Records<AdapterPayload> | Records<StoredClient>,
	kind: string,
	id: string,
	errors: AdapterErrors,
): Promise<void> {
	const count_max = counts_max[kind];
	if (count_max === undefined) return;
	if (!(await records.hasRoom(id, count_max))) throw errors.full();
}

function withUse(
	found: { readonly body: AdapterPayload; readonly consumed_at_ms: number | undefined } | undefined,
): AdapterPayload | undefined {
	if (found === undefined) return undefined;
	if (found.consumed_at_ms === undefined) return found.body;
	return { ...found.body, consumed: Math.floor(found.consumed_at_ms / 1000) };
}
