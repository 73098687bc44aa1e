import type { Principal } from "../identity/principal.ts";
import type { RiskClass } from "../protocol/risk.ts";
import type { CheckedCall, Listed, ToolFacts } from "./check.ts";

/** What expressions can speak of. Each part is a class: that is how its type is known. */

/** `principal` in expressions. What is not there is null, so that it can be asked for. */
export class PrincipalFacts {
	readonly id: string;
	readonly tenant: string;
	readonly user: string;
	readonly client: string | null;
	readonly roles: readonly string[];
	readonly scopes: readonly string[] | null;
	readonly claims: Readonly<Record<string, unknown>>;
	readonly via: string;

	constructor(principal: Principal) {
		this.id = principal.id;
		this.tenant = principal.tenant;
		this.user = principal.user;
		this.client = principal.client ?? null;
		this.roles = principal.roles;
		this.scopes = principal.scopes ?? null;
		this.claims = principal.claims;
		this.via = principal.via;
	}
}

/** `client` in expressions: but for its era and revision, only what it says of itself. */
export class ClientFacts {
	readonly name: string;
	readonly version: string;
	readonly revision: string;
	readonly era: string;

	constructor(client: CheckedCall["client"]) {
		this.name = client.name;
		this.version = client.version;
		this.revision = client.revision;
		this.era = client.era;
	}
}

/** `tool` in expressions. */
export class ToolVariable {
	readonly name: string;
	readonly risk: RiskClass;
	readonly annotations: Readonly<Record<string, unknown>>;

	constructor(tool: ToolFacts) {
		this.name = tool.name;
		this.risk = tool.risk;
		this.annotations = tool.annotations;
	}
}

/** What an expression is evaluated over. What is undefined is not there, which is an error. */
export interface Facts {
	readonly principal: PrincipalFacts;
	readonly client: ClientFacts | undefined;
	readonly endpoint: string;
	readonly server: string;
	readonly method: string;
	/** Tool or prompt name, or uri. */
	readonly name: string | undefined;
	readonly tool: ToolVariable | undefined;
	args: unknown;
	readonly time: Date | undefined;
}

/** Principals and tools live longer than calls, so their facts are made once. */
const principals = new WeakMap<Principal, PrincipalFacts>();
const tools = new WeakMap<ToolFacts, ToolVariable>();
const clients = new WeakMap<CheckedCall["client"], ClientFacts>();

/** The facts of a call, without its arguments: those are parsed only where they are needed. */
export function factsOf(call: CheckedCall): Facts {
	return {
		principal: kept(principals, call.principal, PrincipalFacts),
		client: kept(clients, call.client, ClientFacts),
		endpoint: call.endpoint,
		server: call.server,
		method: call.method,
		name: call.name,
		tool: call.tool === undefined ? undefined : kept(tools, call.tool, ToolVariable),
		args: undefined,
		time: new Date(call.now_ms),
	};
}

/** What is known of a call before it is made, of something that a list may show. */
export function factsOfListed(who: Principal, item: Omit<Listed, "kind">, method: string): Facts {
	return {
		principal: kept(principals, who, PrincipalFacts),
		client: undefined,
		endpoint: item.endpoint,
		server: item.server,
		method,
		name: item.name,
		tool: item.tool === undefined ? undefined : kept(tools, item.tool, ToolVariable),
		args: undefined,
		time: undefined,
	};
}

/** What only a call itself can tell. */
export const unknown_when_listed: ReadonlySet<string> = new Set(["args", "client", "time"]);

function kept<Key extends object, Value>(
	map: WeakMap<Key, Value>,
	key: Key,
	make: new (key: Key) => Value,
): Value {
	let value = map.get(key);
	if (value === undefined) {
		value = new make(key);
		map.set(key, value);
	}
	return value;
}
