import type { SecretBox } from "../secrets/box.ts";
import type { SecretRedactor } from "../secrets/redactor.ts";
import type { GrantRepository } from "../store/grant-repository.ts";
import { httpDriverWith } from "../upstreams/http/driver.ts";
import { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import { UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";
import { type Consents, consent_path } from "./consents.ts";
import { GrantDesk } from "./grant-desk.ts";
import type { DaemonOptions } from "./options.ts";

/** What the room of grants is built from. */
export interface GrantRoomParts {
	readonly options: Pick<DaemonOptions, "clock" | "log" | "authorize">;
	readonly repository: GrantRepository;
	readonly box: SecretBox;
	readonly redactor: SecretRedactor;
	readonly consents: Consents;
	/** True where whoever calls is whoever runs the gateway. */
	isOpen(): boolean;
	/** Where the gateway is reached. */
	url(): string;
}

/** What people have authorized Moorage to use at remote servers, kept beyond a restart. */
export class GrantRoom {
	readonly driver: ReturnType<typeof httpDriverWith>;
	readonly desk: GrantDesk;
	readonly #store: SealedTokenStore;

	constructor({ options, repository, box, redactor, consents, url, isOpen }: GrantRoomParts) {
		const { clock, log } = options;
		this.#store = new SealedTokenStore({ repository, box, redactor, clock, log });
		const auths = new UpstreamAuths({
			clock,
			store: this.#store,
			authorize: options.authorize ?? ((...wanted) => consents.authorize(...wanted)),
			// With identity a link could be sent on to somebody else, who would lend their account.
			namesPage: isOpen,
			redirectUri: () => `${url()}${consent_path}`,
		});
		this.desk = new GrantDesk(this.#store, auths);
		this.driver = httpDriverWith(auths);
	}

	/** Has every token redacted from now on. */
	start(): Promise<void> {
		return this.#store.start();
	}

	/** Writes what could not be written before. */
	close(): Promise<void> {
		return this.#store.close();
	}
}
