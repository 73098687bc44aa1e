import { join } from "node:path";

/** Where the audit of a data folder is. */
export interface AuditPlaces {
	/** The log. */
	readonly folder: string;
	/** The seed of the key that signs it. */
	readonly signing_key: string;
	/** The key that the keys of payloads are sealed with. */
	readonly payload_key: string;
}

/** The places of a data folder. */
export function auditPlaces(data: string): AuditPlaces {
	return {
		folder: join(data, "audit"),
		signing_key: join(data, "keys", "audit-signing-key"),
		payload_key: join(data, "keys", "audit-payload-key"),
	};
}
