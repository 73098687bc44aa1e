import { counted } from "../../lib/counted.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";

/** The tenant of people who name none, where there is no identity. */
const local_tenant = "local";

/** `moorage audit erase` */
export function eraseAudit(
	options: {
		readonly json: boolean;
		readonly data: string | undefined;
		readonly user: string | undefined;
		readonly yes: boolean;
	},
	context: CommandContext,
): Promise<number> {
	const { user: person } = options;
	if (person === undefined) {
		throw usageFailure("Whose payloads are to be erased?", "Add `--user TENANT/USER`.");
	}
	const slash = person.indexOf("/");
	const tenant = slash < 0 ? local_tenant : person.slice(0, slash);
	const user = person.slice(slash + 1);
	if (!options.yes) {
		throw usageFailure(
			`This destroys the keys to every payload of ${tenant}/${user}, for good.`,
			"Add --yes if that is what you want. The audit itself stays and still verifies.",
		);
	}
	return withGateway(context, options, async (client) => {
		const body = JSON.stringify({ tenant, user });
		const { value } = await client.request("eraseAudit", { body });
		if (options.json) context.output.json(value);
		else if (value.keys === 0) context.output.line(`There was nothing of ${tenant}/${user}.`);
		else {
			const keys = counted(value.keys, "key");
			context.output.line(`Destroyed ${keys}: the payloads of ${tenant}/${user} are gone.`);
		}
		return exit_codes.ok;
	});
}
