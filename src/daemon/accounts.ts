import type { IncomingMessage, ServerResponse } from "node:http";
import { exchangesIdentity, providersOf } from "../config/exchange-form.ts";
import type { Plan } from "../config/plan.ts";
import type { ClaimsPlan } from "../config/plan-claims.ts";
import type { IdentityPlan } from "../config/plan-identity.ts";
import { Arrivals } from "../gateway/arrival.ts";
import { routeOf } from "../gateway/routes.ts";
import type { LocalIssuer } from "../identity/oauth/issuer-options.ts";
import { Passwords } from "../identity/passwords.ts";
import { People } from "../identity/people.ts";
import { type Principal, partsOfPrincipal } from "../identity/principal.ts";
import { LoginClients } from "../login/clients.ts";
import { Guesses } from "../login/guesses.ts";
import { IdentityTokens } from "../login/identity-tokens.ts";
import { LoginServer } from "../login/login-server.ts";
import { PasswordLogin } from "../login/password-login.ts";
import { Records } from "../login/records.ts";
import { Revocations, taken_back_kind } from "../login/revocations.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { SecretRedactor } from "../secrets/redactor.ts";
import type { Database } from "../store/database.ts";
import { createRepositories, type StoreWriter } from "../store/repositories.ts";
import type { Connections } from "./connections.ts";
import type { GrantDesk } from "./grant-desk.ts";
import { MyKeyDesk } from "./my-keys.ts";
import type { DaemonOptions } from "./options.ts";
import { DaemonPeopleBackend } from "./people-backend.ts";
import { SignInDesk } from "./sign-in-desk.ts";

/** The house whose accounts they are, as it is now. */
interface AccountHouse {
	/** Who this gateway is to the outside, without a slash at the end. */
	readonly url: string;
	readonly plan: Plan;
	readonly grants: {
		readonly desk: Pick<GrantDesk, "revokeAll">;
		readonly connections: Pick<Connections, "signedIn">;
	};
	/** Signs a person out in every browser; how many there were. */
	endSessions(principal: string): Promise<number>;
}

/** What accounts are kept with. */
interface AccountParts {
	readonly database: Database;
	readonly box: SecretBox;
	readonly redactor: SecretRedactor;
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
	readonly sign_in: SignInDesk;
	readonly backend: DaemonPeopleBackend;
	readonly my_keys: MyKeyDesk;
	/** What people have signed in with at providers. */
	readonly identities: IdentityTokens;
	readonly #revocations: Revocations;
	#applied: IdentityPlan["login"];

	constructor(
		{ clock, random, log }: Pick<DaemonOptions, "clock" | "random" | "log">,
		{ database, box, redactor }: AccountParts,
		writer: Pick<StoreWriter, "add">,
		house: AccountHouse,
	) {
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
		const records = { repository: repositories.login, box, clock, random };
		this.#revocations = new Revocations(clock, new Records(records, taken_back_kind));
		const passwords = new PasswordLogin(this.people, new Guesses(clock));
		const addressOf = (request: IncomingMessage) =>
			new Arrivals(house.plan.front).clientAddress(request);
		this.identities = new IdentityTokens({
			...{ records, clock, log, redactor: redactor.tokens },
			providers: () => providersOf(house.plan.identity),
			isWanted: () => house.plan.servers.some(exchangesIdentity),
			onKept: (account) => house.grants.connections.signedIn(partsOfPrincipal(account)),
		});
		const { identities, people } = this;
		const around = { people, identities, passwords, log, baseUrl, addressOf, clock, random };
		this.login = new LoginServer({
			...around,
			...records,
			meta: repositories.meta,
			isResource: (url) => isAddress(url, baseUrl()),
		});
		this.sign_in = new SignInDesk({
			...around,
			records,
			endLogin: (cookies, account) => this.login.endLogin(cookies, account),
		});
		const clients = new LoginClients(records, this.login.machines, this.#revocations, identities);
		this.backend = new DaemonPeopleBackend(
			this.people,
			clients,
			() => house.plan.identity?.keys,
			(owner) => house.grants.desk.revokeAll(owner),
			(principal) => house.endSessions(principal),
		);
		this.my_keys = new MyKeyDesk(this.people, this.backend);
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
		await this.#revocations.restore();
		await this.identities.start();
		await this.use(identity);
	}

	/** Serves another plan from the next request on. */
	async use(identity: IdentityPlan | undefined): Promise<void> {
		this.sign_in.use(identity);
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
