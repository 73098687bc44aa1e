import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { at, type CallCase, comparedSides, type House, type Side } from "./cases.ts";
import {
	type Contender,
	echoPath,
	startGateway,
	startProgram,
	startReporting,
} from "./contenders.ts";
import { modernCall } from "./requests.ts";

/** The configuration of the gateway that has everything on, as it is printed with the result. */
const full_config = fileURLToPath(new URL("./full.yaml", import.meta.url));

/** Everything that Moorage does for a call, on; the same contenders as in the plain case. */
export const full_case: CallCase = {
	name: "stdio-32-full",
	title: "tools/call to a sandboxed stdio server with everything on, 32 in flight",
	connections: 32,
	async sides(house: House): Promise<Record<string, Side>> {
		const { gateway, token } = await startFull(house);
		const say = modernCall();
		const headers = { ...say.headers, authorization: `Bearer ${token}` };
		const own = at(gateway, "/echo/mcp", { ...say, headers });
		return { moorage: own, ...(await comparedSides(house)), ...(await house.peers()) };
	},
};

/** The configuration without the hundred secrets, for people. */
export function fullConfigText(): string {
	const lines = readFileSync(full_config, "utf8").trimEnd().split("\n");
	const shown = lines.filter((line) => !/^\s+SECRET_(?!00|99)/.test(line));
	return shown.join("\n").replace(/(SECRET_00.*)/, "$1\n      # ... and so on, a hundred in all");
}

async function startFull(house: House): Promise<{ gateway: Contender; token: string }> {
	const issuer = await startIssuer(house);
	const collector = await startCollector(house);
	const gateway = await house.shared("full gateway", () =>
		startGateway(fullConfig(issuer.port, collector.port), { environment: benchSecret() }),
	);
	return { gateway, token: issuer.token };
}

/** An issuer of access tokens, with one token of it. */
export interface Issuer {
	readonly port: number;
	readonly token: string;
}

const tokens = new WeakMap<Contender, string>();

/** Starts the issuer, once for all cases. */
export async function startIssuer({ shared }: Pick<House, "shared">): Promise<Issuer> {
	const issuer = await shared("issuer", async () => {
		const { contender, report } = await startReporting("issuer");
		tokens.set(contender, String(report["token"]));
		return contender;
	});
	return { port: issuer.port, token: tokens.get(issuer) ?? "" };
}

/** Starts a collector that takes every trace, once for all cases. */
export function startCollector({ shared }: Pick<House, "shared">): Promise<Contender> {
	return shared("collector", () => startProgram("collector"));
}

/** The configuration with everything in its place. */
export function fullConfig(issuer_port: number, collector_port: number): string {
	return readFileSync(full_config, "utf8")
		.replace("http://ISSUER", `http://127.0.0.1:${issuer_port}`)
		.replace("http://COLLECTOR", `http://127.0.0.1:${collector_port}`)
		.replace("[NODE, ECHO,", `[${JSON.stringify(process.execPath)}, ${JSON.stringify(echoPath)},`);
}

/** What the hundred secrets are made of. */
export function benchSecret(): Record<string, string> {
	return { MOORAGE_BENCH_SECRET: crypto.randomUUID() };
}
