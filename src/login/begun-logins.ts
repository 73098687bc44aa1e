import { isSameText } from "../lib/same-text.ts";
import { hashId, type RecordOptions, Records } from "./records.ts";

/** A login that is under way at a provider, as it is kept until the browser comes back. */
export interface Begun {
	/** The name of the provider: its plan may be another by then, and has a secret. */
	readonly provider: string;
	/** The issuer it had: an answer is not taken to whoever has taken its name. */
	readonly issuer: string;
	/** What it belongs to: an interaction of the authorization server, or a sign-in. */
	readonly interaction: string;
	readonly state: string;
	readonly verifier: string;
	readonly nonce: string;
}

const begun_s = 10 * 60;
/** An interaction has one at most; sign-ins are held to a rate by whoever begins them. */
const begun_max = 10_000;

/** Logins that are under way at providers elsewhere. They outlive a plan and a process. */
export class BegunLogins {
	readonly #records: Records<Begun>;

	constructor(records: RecordOptions) {
		this.#records = new Records(records, "FederatedLogin");
	}

	/** The login of a `state` that is under way. */
	async find(state: string): Promise<Begun | undefined> {
		const [id = ""] = state.split(".", 1);
		const found = await this.#records.find(id);
		if (found === undefined || found.consumed_at_ms !== undefined) return undefined;
		return isSameText(found.body.state, state) ? found.body : undefined;
	}

	/** Keeps a login in place of the one that its interaction has; false where there is no room. */
	async keep(begun: Begun): Promise<boolean> {
		const id = hashId(begun.interaction);
		if (!(await this.#records.hasRoom(id, begun_max))) return false;
		// One that was used up would stay so.
		await this.#records.remove(id);
		await this.#records.save(id, begun, { ttl_s: begun_s });
		return true;
	}

	/** Uses up the login of an interaction; of two who come at the same moment one gets true. */
	consume(interaction: string): Promise<boolean> {
		return this.#records.consume(hashId(interaction));
	}
}
