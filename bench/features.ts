import { parse } from "yaml";
import { at, type CallCase, type House, type Side } from "./cases.ts";
import { startGateway } from "./contenders.ts";
import { benchSecret, fullConfig, startCollector, startIssuer } from "./full.ts";
import { modernCall } from "./requests.ts";

/** What a gateway may have beyond the plain way of a call; each is measured by itself. */
const features = ["identity", "rules", "call_log", "audit", "redaction", "traces"] as const;

/** One of them. */
export type Feature = (typeof features)[number];

/** What each thing costs that a gateway can do for a call, beside one that does none of them. */
export const features_case: CallCase = {
	name: "stdio-32-features",
	title: "tools/call to a sandboxed stdio server with one thing on at a time, 32 in flight",
	connections: 32,
	full: true,
	async sides(house: House): Promise<Record<string, Side>> {
		const issuer = await startIssuer(house);
		const full = fullConfig(issuer.port, (await startCollector(house)).port);
		const say = modernCall();
		const start = async (feature: Feature | undefined): Promise<Side> => {
			const gateway = await house.shared(`with ${feature ?? "nothing"}`, () =>
				startGateway(featureConfig(full, feature), { environment: benchSecret() }),
			);
			const authorization = asks(feature) ? { authorization: `Bearer ${issuer.token}` } : {};
			return at(gateway, "/echo/mcp", { ...say, headers: { ...say.headers, ...authorization } });
		};
		const sides: Record<string, Side> = { moorage: await start(undefined) };
		for (const feature of features) sides[`with_${feature}`] = await start(feature);
		return sides;
	},
};

/** Whether callers have to say who they are: rules are about people. */
function asks(feature: Feature | undefined): boolean {
	return feature === "identity" || feature === "rules";
}

/**
 * The configuration of everything with one thing of it left. Redaction is that of the audit, with
 * a hundred secrets known: without anything that is kept there is nothing to redact.
 */
export function featureConfig(full: string, feature: Feature | undefined): object {
	const { version: _, identity, policy, telemetry, servers } = parse(full) as Parts;
	const { env, scope, ...plain } = servers.echo;
	const echo = {
		...plain,
		...(asks(feature) ? { scope } : {}),
		...(feature === "redaction" ? { env } : {}),
	};
	const keeps_audit = feature === "audit" || feature === "redaction";
	return {
		servers: { echo },
		...(asks(feature) ? { identity } : {}),
		...(feature === "rules" ? { policy } : {}),
		...(feature === "traces" ? { telemetry } : {}),
		...(keeps_audit ? {} : { audit: "off" }),
		...(feature === "call_log" ? {} : { calls: { log: "off", history: "off" } }),
	};
}

interface Parts {
	readonly version: number;
	readonly identity: unknown;
	readonly policy: unknown;
	readonly telemetry: unknown;
	readonly servers: { readonly echo: Readonly<Record<string, unknown>> };
}
