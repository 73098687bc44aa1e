import type { ServerCatalog } from "../../catalog/catalogs.ts";
import type { ServerPlan } from "../../config/plan.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import { readJsonText } from "../../wire/object.ts";
import type { GatewayContext } from "../context.ts";
import { mergedExtensions } from "./bundle-extensions.ts";
import {
	type AbsentServer,
	type Asker,
	knownCatalog,
	knownCatalogs,
	useRefusal,
} from "./known-catalog.ts";

/** How an endpoint introduces itself, in either era. */
export interface EndpointHello {
	readonly capabilities: Readonly<Record<string, unknown>>;
	/** Raw JSON object. */
	readonly server_info: string;
	readonly instructions: string | undefined;
	readonly absent: readonly AbsentServer[];
}

/**
 * A single server introduces itself in its own words; a bundle in ours, with what its servers
 * can do taken together. Fails only when a single server cannot be reached; one that waits for
 * people to connect their accounts is introduced by us, so that they can be asked. Of a server that
 * is off, or of which who asks may use nothing, no word is said and nothing is started.
 */
export async function endpointHello(
	asker: Asker,
	context: GatewayContext,
): Promise<Result<EndpointHello, Fault>> {
	const { endpoint, signal } = asker;
	const only = endpoint.kind === "single" ? endpoint.servers[0] : undefined;
	if (only !== undefined) {
		const refusal = useRefusal(only.name, asker, context);
		if (refusal !== undefined) return fail(refusal);
		const known = await knownCatalog(only, context, signal);
		if (known.ok) return succeed(helloOf(known.value));
		return awaitsPerson(known.problem) ? succeed(unmetHello(only)) : fail(known.problem);
	}
	const { catalogs, absent } = await knownCatalogs(endpoint.servers, context, asker);
	const of_use = catalogs.filter(({ server }) => useRefusal(server, asker, context) === undefined);
	return succeed({
		// What can be done here at all is said to everybody: rules and switches change meanwhile.
		capabilities: mergedCapabilities(catalogs, of_use, absent),
		server_info: JSON.stringify(context.product),
		instructions: mergedInstructions(of_use),
		absent,
	});
}

function helloOf(catalog: ServerCatalog): EndpointHello {
	return {
		capabilities: readJsonText(catalog.capabilities) as Record<string, unknown>,
		server_info: catalog.server_info,
		instructions: catalog.instructions,
		absent: [],
	};
}

/** What a server that nobody has met yet will have: tools, or why would anybody connect? */
const unmet_capabilities = { tools: { listChanged: true } };

function awaitsPerson({ code }: Fault): boolean {
	return code === "authorization_required";
}

function unmetHello({ name, title }: ServerPlan): EndpointHello {
	return {
		capabilities: unmet_capabilities,
		server_info: JSON.stringify({ name, title, version: "unknown" }),
		instructions: undefined,
		absent: [],
	};
}

type Flags = Record<string, boolean>;

/** A bundle can do what any of its servers can; a call that needs more fails at that server. */
function mergedCapabilities(
	catalogs: readonly ServerCatalog[],
	of_use: readonly ServerCatalog[],
	absent: readonly AbsentServer[],
): Record<string, unknown> {
	const unmet = absent.some(({ fault }) => awaitsPerson(fault));
	const merged: Record<string, unknown> = unmet ? { ...unmet_capabilities } : {};
	for (const catalog of catalogs) {
		const own = readJsonText(catalog.capabilities) as Record<string, unknown>;
		for (const name of bundled_capabilities) {
			const flags = own[name];
			if (typeof flags !== "object" || flags === null) continue;
			merged[name] = either((merged[name] ?? {}) as Flags, flags as Flags);
		}
	}
	const extensions = mergedExtensions(of_use);
	if (Object.keys(extensions).length > 0) merged["extensions"] = extensions;
	return merged;
}

const bundled_capabilities = ["tools", "resources", "prompts", "completions", "logging"];

function either(left: Flags, right: Flags): Flags {
	const flags: Flags = { ...left };
	for (const [name, value] of Object.entries(right)) if (value) flags[name] = true;
	return flags;
}

const instructions_chars_max = 64 * 1024;

function mergedInstructions(catalogs: readonly ServerCatalog[]): string | undefined {
	const parts = catalogs
		.filter(({ instructions }) => instructions !== undefined && instructions !== "")
		.map(({ server, instructions }) => `# ${server}\n${instructions}`);
	if (parts.length === 0) return undefined;
	return parts.join("\n\n").slice(0, instructions_chars_max);
}
