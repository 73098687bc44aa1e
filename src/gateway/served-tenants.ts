import type { InstanceKey } from "../hosting/hosting.ts";

/** Instances of no scope key are everybody's. */
const shared_scope = "";

/** In the place of a tenant, where there was more than one. */
const several = Symbol("several tenants");

/**
 * For which tenants the shared instances of each server have worked in this run of the gateway.
 * What such an instance says outside of any call may be about whatever it was told: it is for a
 * tenant only as long as no other has told it anything.
 */
export class ServedTenants {
	readonly #by_server = new Map<string, string | typeof several>();

	/** An instance is about to be told something by somebody of a tenant. */
	note({ server, scope_key }: Pick<InstanceKey, "server" | "scope_key">, tenant: string): void {
		if (scope_key !== shared_scope) return;
		const known = this.#by_server.get(server);
		if (known === tenant || known === several) return;
		this.#by_server.set(server, known === undefined ? tenant : several);
	}

	/** Whether what an instance says to nobody in particular may be told to a tenant. */
	mayTell({ server, scope_key }: Pick<InstanceKey, "server" | "scope_key">, tenant: string) {
		if (scope_key !== shared_scope) return true;
		const known = this.#by_server.get(server);
		return known === undefined || known === tenant;
	}
}
