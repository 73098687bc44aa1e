import type { Plan } from "../config/plan.ts";
import { sessionOfScope } from "../gateway/scope.ts";
import { SpecValues } from "../hosting/spec-values.ts";
import { local_principal, partsOfPrincipal } from "../identity/principal.ts";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import type { SecretRedactor } from "../secrets/redactor.ts";
import { referenceText } from "../secrets/template.ts";
import {
	envFileSource,
	environmentSource,
	fileSource,
	heldSource,
	type ValueOwner,
	type ValueSources,
} from "../secrets/values.ts";
import type { GrantOwner } from "../store/grant-repository.ts";

/** What the values of servers are taken from. */
export interface ValuesOptions {
	readonly environment: Environment;
	readonly random: Random;
	readonly redactor: SecretRedactor;
	/** The configuration as it was read last. */
	config(): Plan;
	/** The principal of a session; undefined where it is gone. */
	principalOfSession(id: string): string | undefined;
}

const digest_key_bytes = 32;

/** Puts values into the specs of servers; whatever is secret is redacted from then on. */
export function specValues(options: ValuesOptions, more: ValueSources): SpecValues {
	const { environment, random, redactor } = options;
	const held = (kind: "input" | "literal") =>
		heldSource(kind, (body) => options.config().held.get(referenceText({ kind, body })));
	return new SpecValues({
		environment,
		sources: {
			env: environmentSource(environment),
			file: fileSource(),
			envfile: envFileSource(),
			input: held("input"),
			literal: held("literal"),
			...more,
		},
		onSecret: (value) => void redactor.add(value),
		ownerOf: (scope_key) => ownerOf(scope_key, options),
		digest_key: random.bytes(digest_key_bytes),
	});
}

/** Whose values the instances of a scope key get; see `scopeKey` in gateway/scope.ts. */
export function ownerOf(
	scope_key: string,
	{ principalOfSession }: Pick<ValuesOptions, "principalOfSession">,
): ValueOwner {
	const at = scope_key.indexOf(":");
	const [kind, rest] = [scope_key.slice(0, at), scope_key.slice(at + 1)];
	switch (kind) {
		case "tenant":
			return { tenant: rest };
		case "user":
			return personOf(rest);
		case "session":
			return personOf(principalOfSession(rest));
		case "client":
			return personOf(rest.slice(0, rest.indexOf(" ")));
		default:
			return {};
	}
}

/**
 * Whose authorization at remote servers the instances of a scope key use. Nobody is ever given the
 * gateway's own in the place of one that is not known any more.
 */
export function grantOwnerOf(
	scope_key: string,
	sessions: { principalOf(id: string): string | undefined },
): GrantOwner | "nobody" {
	const session = sessionOfScope(scope_key);
	if (session !== undefined && sessions.principalOf(session) === undefined) return "nobody";
	const { tenant = "", user = "" } = ownerOf(scope_key, {
		principalOfSession: (id) => sessions.principalOf(id),
	});
	return { tenant, user };
}

/** Without identity everybody is one person, whose values are everybody's. */
function personOf(principal: string | undefined): ValueOwner {
	if (principal === undefined || principal === local_principal.id) return {};
	return partsOfPrincipal(principal);
}
