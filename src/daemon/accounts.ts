import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plan } from "../config/plan.ts";
import type { ClaimsPlan } from "../config/plan-claims.ts";
import type { IdentityPlan } from "../config/plan-identity.ts";
import { Arrivals } from "../gateway/arrival.ts";
import { routeOf } from "../gateway/routes.ts";
import type { LocalIssuer } from "../identity/oauth/issuer-options.ts";
import { Passwords } from "../identity/passwords.ts";
import { People } from "../identity/people.ts";
import type { Principal } from "../identity/principal.ts";
import { LoginClients } from "../login/clients.ts";
import { LoginServer } from "../login/login-server.ts";
import { Revocations } from "../login/revocations.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { Database } from "../store/database.ts";
import { createRepositories, type StoreWriter } from "../store/repositories.ts";
import type { GrantDesk } from "./grant-desk.ts";
import type { DaemonOptions } from "./options.ts";
import { DaemonPeopleBackend } from "./people-backend.ts";

/** The house whose accounts they are, as it is now. */
interface AccountHouse {
	/** Who this gateway is to the outside, without a slash at the end. */
	readonly url: string;
	readonly plan: Plan;
	readonly grants: { readonly desk: Pick<GrantDesk, "revokeAll"> };
}

/** What our own tokens say of people. */
const own_claims: ClaimsPlan = {
	tenant: { kind: "claim", claim: "tenant", allowed: [] },
	user: "user",
	client: undefined,
	roles: "roles",
	role_names: undefined,
	scopes: undefined,
};

/** The people of a house, their keys, and the server at which they log in. */
export class Accounts {
	readonly people: People;
	readonly login: LoginServer;
	readonly backend: DaemonPeopleBackend;
	readonly #revocations: Revocations;
	#applied: IdentityPlan["login"];

	constructor(
		{ clock, random, log }: Pick<DaemonOptions, "clock" | "random" | "log">,
		{ database, box }: { readonly database: Database; readonly box: SecretBox },
		writer: Pick<StoreWriter, "add">,
		house: AccountHouse,
	) {
		this.#revocations = new Revocations(clock);
		const repositories = createRepositories(database.connection);
		const baseUrl = () => house.plan.front.public_url ?? house.url;
		this.people = new People({
			repository: repositories.people,
			passwords: new Passwords(random),
			clock,
			random,
			noteKeyUse: (name, used_at_ms) =>
				writer.add(({ people }) => people.noteKeyUse(name, used_at_ms)),
		});
		this.login = new LoginServer({
			repository: repositories.login,
			meta: repositories.meta,
			box,
			clock,
			random,
			log,
			people: this.people,
			baseUrl,
			isResource: (url) => isAddress(url, baseUrl()),
			addressOf: (request: IncomingMessage) =>
				new Arrivals(house.plan.front).clientAddress(request),
		});
		const records = { repository: repositories.login, box, clock, random };
		const clients = new LoginClients(records, this.login.machines, this.#revocations);
		this.backend = new DaemonPeopleBackend(
			this.people,
			clients,
			() => house.plan.identity?.keys ?? [],
			(owner) => house.grants.desk.revokeAll(owner),
		);
	}

	/** What the front door is given of it. */
	get front_door() {
		const { login, people: stored_keys } = this;
		return {
			login: (request: IncomingMessage, response: ServerResponse) => login.serve(request, response),
			stored_keys,
			local_issuer: () => this.#localIssuer(),
		};
	}

	/** The issuer in this process, whose tokens name people of the store. */
	#localIssuer(): LocalIssuer | undefined {
		const { login } = this;
		if (!login.is_on) return undefined;
		const jwks = () => ({ keys: login.jwks().keys.map((key) => ({ ...key })) });
		const isCurrent = ({ tenant, user, claims }: Principal) => {
			const { grant, sub, client_id, iat } = claims;
			if (this.#revocations.covers({ grant, sub, client_id, iat })) return false;
			// Only what a person has allowed has a grant; other tokens are their client's own.
			return grant === undefined || this.people.user(tenant, user) !== undefined;
		};
		return { issuer: login.issuer, jwks, claims: own_claims, isCurrent };
	}

	/** Reads what is stored, and serves a plan. */
	async start(identity: IdentityPlan | undefined): Promise<void> {
		await this.people.restore();
		await this.use(identity);
	}

	/** Serves another plan from the next request on. */
	async use(identity: IdentityPlan | undefined): Promise<void> {
		if (identity?.login === this.#applied) return;
		this.#applied = identity?.login;
		await this.login.use(identity?.login);
	}

	stop(): void {
		this.login.stop();
	}
}

/** Whether a URL is of the form of ours: which ones there are is not told to just anybody. */
function isAddress(url: string, base: string): boolean {
	if (!url.startsWith(`${base}/`) || /[?#]/.test(url)) return false;
	const route = routeOf(url.slice(base.length));
	return route.kind === "endpoint" && route.part === "mcp";
}
