import type { LocatedEntry } from "./located.ts";
import type { OAuthGrant, Scope } from "./plan.ts";
import type { Report } from "./report.ts";

/** What decides whose account a server is used with. */
export interface AccountFacts {
	readonly entry: LocatedEntry;
	readonly grant: OAuthGrant;
	readonly account: "shared" | undefined;
	readonly scope: Scope;
	readonly identity: boolean;
}

/**
 * Where people are told apart, an account that one of them gives and all of them use has to be
 * wanted in so many words: whoever connects it lends it to everybody.
 */
export function checkSharedAccount(facts: AccountFacts, report: Report): void {
	const { entry, grant, account, scope, identity } = facts;
	const is_of_a_person = grant === "authorization_code";
	if (account === "shared" && (scope !== "shared" || !is_of_a_person)) {
		const why = is_of_a_person ? `\`scope: ${scope}\`` : `\`grant: ${grant}\``;
		report.problem(
			entry.key_start,
			`\`account: shared\` of the server \`${entry.key}\` has no meaning with ${why}.`,
			is_of_a_person ? "Remove it, or set `scope: shared`." : "Remove it.",
		);
	}
	if (!identity || scope !== "shared" || !is_of_a_person || account === "shared") return;
	report.problem(
		entry.key_start,
		`Everybody would use the server \`${entry.key}\` with one person's account, because it has ` +
			"`auth: oauth` and `scope: shared`.",
		"Write `oauth: { account: shared }` if that is meant, or set `scope: user`, so that each " +
			"person connects an account of their own.",
	);
}
