import type { TenantDetails, TenantEntry, TenantPage } from "../admin/contracts/tenants.ts";
import type { KillSwitchView } from "../admin/safety-backend.ts";
import type { TenantBackend, TenantQuery } from "../admin/tenant-backend.ts";
import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan } from "../config/plan.ts";
import type { RulePlan } from "../config/policy-plan.ts";
import { formatDuration } from "../config/units.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { People } from "../identity/people.ts";
import {
	local_principal,
	type Principal,
	partsOfPrincipal,
	principalOf,
} from "../identity/principal.ts";
import { counted } from "../lib/counted.ts";
import type { StoredUser } from "../store/people-repository.ts";
import type { TrafficCounter } from "./dashboard/traffic.ts";
import { myServers } from "./my-servers.ts";

/** What tenants are told from. */
export interface TenantRooms {
	readonly plan: Plan;
	readonly url: string;
	readonly gateway: Gateway;
	readonly catalogs: Catalogs;
	readonly hosting: Hosting;
	readonly accounts: { readonly people: Pick<People, "everybody" | "everyKey" | "user"> };
}

/** Members that are told of one tenant. */
const members_max = 500;
/** Members for whom it is found out what they may use, by every tool of every server. */
const asked_max = 20;

interface Member {
	readonly user: string;
	readonly kind: "person" | "key" | "certificate";
	readonly name: string;
	readonly roles: readonly string[];
	readonly scopes?: readonly string[] | undefined;
}

/** What is counted by tenants, at one moment. */
interface Census {
	/** Every tenant that anything is known of. */
	readonly names: ReadonlySet<string>;
	readonly people: ReadonlyMap<string, number>;
	readonly keys: ReadonlyMap<string, number>;
	readonly sessions: ReadonlyMap<string, number>;
	readonly off: readonly KillSwitchView[];
}

/** Tenants as those who run the gateway see them: nobody makes one, they come with their people. */
export class TenantDesk implements TenantBackend {
	readonly #rooms: TenantRooms;
	readonly #traffic: TrafficCounter;
	/** What is switched off. */
	readonly #switches: () => readonly KillSwitchView[];

	constructor(
		rooms: TenantRooms,
		traffic: TrafficCounter,
		switches: () => readonly KillSwitchView[],
	) {
		this.#rooms = rooms;
		this.#traffic = traffic;
		this.#switches = switches;
	}

	list({ q = "", limit, cursor = "" }: TenantQuery): TenantPage {
		const wanted = q.toLowerCase();
		const census = this.#census();
		const names = [...census.names]
			.filter((name) => name.toLowerCase().includes(wanted))
			.toSorted((a, b) => (a < b ? -1 : 1));
		const rest = names.filter((name) => cursor === "" || name > cursor);
		const page = rest.slice(0, limit);
		const last = page.at(-1);
		return {
			total: names.length,
			tenants: page.map((name) => this.#entry(name, census)),
			...(last !== undefined && rest.length > limit && { next: last }),
		};
	}

	get(tenant: string, with_access: boolean): TenantDetails | undefined {
		const census = this.#census();
		if (!census.names.has(tenant)) return undefined;
		const { shown, left_out } = this.#members(tenant);
		const asked = with_access ? shown.slice(0, asked_max) : undefined;
		return {
			...this.#entry(tenant, census),
			members: shown.map(({ user, kind, name, roles }) => ({ user, kind, name, roles })),
			members_left_out: left_out,
			servers: this.#servers(
				tenant,
				asked?.map((one) => principalFor(tenant, one)),
			),
			...(asked !== undefined && { asked: asked.length }),
			limits: this.#limits(tenant),
		};
	}

	/** Everything that is counted by tenants, from one look at each thing. */
	#census(): Census {
		const { plan, accounts, gateway } = this.#rooms;
		const { identity, audit } = plan;
		const claims = [...(identity?.issuers ?? []), ...(identity?.login?.federated ?? [])];
		const fixed = claims.flatMap(({ claims: { tenant } }) =>
			tenant.kind === "fixed" ? [tenant.name] : [],
		);
		const off = this.#switches();
		const people = tally(accounts.people.everybody(), ({ tenant }) => tenant);
		const keys = tally(accounts.people.everyKey(), ({ tenant }) => tenant);
		for (const { tenant } of identity?.keys ?? []) keys.set(tenant, (keys.get(tenant) ?? 0) + 1);
		const sessions = tally(
			gateway.context.sessions.all(),
			({ principal }) => partsOfPrincipal(principal).tenant,
		);
		const names = new Set([
			...people.keys(),
			...keys.keys(),
			...(identity?.certificates ?? []).map(({ tenant }) => tenant),
			...fixed,
			...off.flatMap(({ kind, name }) => (kind === "tenant" && name ? [name] : [])),
			...Object.keys(audit?.tenants ?? {}),
			...(identity === undefined ? [local_principal.tenant] : []),
			...this.#traffic.tenants(),
			...sessions.keys(),
		]);
		return { names, people, keys, sessions, off };
	}

	/** What stands in a list of one. */
	#entry(name: string, { people, keys, sessions, off }: Census): TenantEntry {
		const set = off.find((one) => one.kind === "tenant" && one.name === name);
		return {
			name,
			people: people.get(name) ?? 0,
			keys: keys.get(name) ?? 0,
			sessions: sessions.get(name) ?? 0,
			in_flight: this.#rooms.gateway.inFlightOf(name),
			traffic: this.#traffic.readTenant(name),
			...(set !== undefined && { off: set }),
		};
	}

	/** Who is known of a tenant: people, then keys and certificates; and how many more there are. */
	#members(tenant: string): { readonly shown: Member[]; readonly left_out: number } {
		const { accounts, plan } = this.#rooms;
		const { identity } = plan;
		const shown: Member[] = [];
		let members = 0;
		// Only as many are kept as are shown, however many there are.
		const add = (make: () => Member) => {
			members += 1;
			if (shown.length < members_max) shown.push(make());
		};
		for (const one of accounts.people.everybody()) {
			if (one.tenant === tenant) add(() => personOf(one));
		}
		shown.sort((a, b) => (a.user < b.user ? -1 : 1));
		for (const keys of [identity?.keys ?? [], accounts.people.everyKey()]) {
			for (const one of keys) {
				if (one.tenant !== tenant) continue;
				add(() => {
					const own = one.roles ?? accounts.people.user(tenant, one.user)?.roles ?? [];
					return { user: one.user, kind: "key", name: one.name, roles: own, scopes: one.scopes };
				});
			}
		}
		for (const one of identity?.certificates ?? []) {
			const { user, name, roles, scopes } = one;
			if (one.tenant === tenant) add(() => ({ user, kind: "certificate", name, roles, scopes }));
		}
		return { shown, left_out: members - shown.length };
	}

	#servers(tenant: string, asked: readonly Principal[] | undefined): TenantDetails["servers"] {
		const { plan, hosting, gateway } = this.#rooms;
		const open =
			asked &&
			tally(
				asked.flatMap((one) => myServers(this.#rooms, one)),
				({ name }) => name,
			);
		const theirs = new Set(
			[...gateway.context.sessions.all()]
				.filter(({ principal }) => partsOfPrincipal(principal).tenant === tenant)
				.map(({ id }) => `session:${id}`),
		);
		const prefixes = [`user:${tenant}/`, `client:${tenant}/`];
		const isTheirs = (scope_key: string) =>
			scope_key === `tenant:${tenant}` ||
			theirs.has(scope_key) ||
			prefixes.some((prefix) => scope_key.startsWith(prefix));
		return plan.servers.map(({ name, scope }) => {
			const instances = hosting.status(name)?.instances ?? [];
			return {
				name,
				scope,
				instances: instances.filter(({ scope_key }) => isTheirs(scope_key)).length,
				...(open !== undefined && { open_to: open.get(name) ?? 0 }),
			};
		});
	}

	/** What limits the calls of a tenant as such, in sentences. */
	#limits(tenant: string): TenantDetails["limits"] {
		const { plan } = this.#rooms;
		const places = plan.limits.requests_in_flight_max;
		const share =
			plan.identity === undefined
				? `${counted(places, "request is", "requests are")} answered at one time.`
				: `All tenants together have ${counted(places, "request")} answered at one time; one alone gets at most half of them, and fewer while others call too.`;
		const rules = plan.policy.rules
			.filter(({ limit }) => limit?.per.includes("tenant") === true)
			.map((rule) => ({ name: rule.name, line: rule.place.line, says: limitWords(rule) }));
		const keep = plan.audit?.tenants[tenant];
		const kept =
			keep?.keep_days === undefined
				? []
				: [{ name: "audit", says: `Payloads are kept for ${counted(keep.keep_days, "day")}.` }];
		return [{ name: "requests at one time", says: share }, ...rules, ...kept];
	}
}

/** How many there are of each. */
function tally<Item>(items: Iterable<Item>, by: (item: Item) => string): Map<string, number> {
	const counts = new Map<string, number>();
	for (const item of items) counts.set(by(item), (counts.get(by(item)) ?? 0) + 1);
	return counts;
}

function personOf({ user, display_name, roles }: StoredUser): Member {
	return { user, kind: "person", name: display_name ?? user, roles };
}

function principalFor(tenant: string, { user, kind, name, roles, scopes }: Member): Principal {
	const via = kind === "person" ? "token" : kind;
	const client = kind === "key" ? `key:${name}` : undefined;
	return principalOf(tenant, user, { roles, scopes, via, client });
}

/** `100 calls in 1m, counted for each tenant and server apart`. */
function limitWords({ limit }: RulePlan): string {
	const parts = [
		...(limit?.rate === undefined
			? []
			: [`${counted(limit.rate.calls, "call")} in ${formatDuration(limit.rate.per_ms)}`]),
		...(limit?.at_once === undefined ? [] : [`${counted(limit.at_once, "call")} at one time`]),
	];
	const per = limit?.per.join(", ") ?? "";
	return `At most ${parts.join(" and ")}, counted for each ${per} apart.`;
}
