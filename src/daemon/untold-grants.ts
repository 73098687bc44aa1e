import type { RecordOptions } from "../login/records.ts";
import { Records } from "../login/records.ts";
import type { OpenedGrant } from "../upstreams/http/oauth/sealed-token-store.ts";
import type { GrantFor } from "../upstreams/http/oauth/upstream-auths.ts";

/** An authorization that has ended here, and whose authorization server has not heard of it. */
export interface UntoldGrant extends OpenedGrant {
	readonly who: GrantFor;
}

/** What its issuer could not be told within this time has run out, or is its person's affair. */
const kept_s = 30 * 24 * 60 * 60;
/** So many are told at one start. */
const told_max = 1_000;

/**
 * Authorizations that ended while no gateway ran, sealed: the next one tells their issuers, because
 * only that can reach them and knows who it is there.
 */
export class UntoldGrants {
	readonly #records: Records<UntoldGrant>;

	constructor(records: RecordOptions) {
		this.#records = new Records(records, "UntoldGrant");
	}

	async add(grant: UntoldGrant): Promise<void> {
		await this.#records.save(idOf(grant), grant, { ttl_s: kept_s });
	}

	async list(): Promise<UntoldGrant[]> {
		return (await this.#records.list(told_max)).map(({ body }) => body);
	}

	async remove(grant: UntoldGrant): Promise<void> {
		await this.#records.remove(idOf(grant));
	}
}

function idOf({ who, grant }: UntoldGrant): string {
	return JSON.stringify([who.tenant, who.user, who.server, grant.issuer, grant.access_token]);
}
