import type { Holder } from "./provider.ts";
import { type RecordOptions, Records } from "./records.ts";

/**
 * In whose name clients act that come without a person (client credentials). It stands apart from
 * what clients say of themselves, so that none can give itself a name or roles.
 */
export class MachineClients {
	readonly #records: Records<Holder>;

	constructor(options: RecordOptions) {
		this.#records = new Records(options, "MachineClient");
	}

	async holderOf(client_id: string): Promise<Holder | undefined> {
		return (await this.#records.find(client_id))?.body;
	}

	async save(client_id: string, { tenant, user, roles }: Holder): Promise<void> {
		await this.#records.save(client_id, { tenant, user, roles }, { client: client_id });
	}
}
