import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { at, type CallCase, comparedSides, type House, type Side } from "./cases.ts";
import { type Contender, echoPath, startGateway, startReporting } from "./contenders.ts";
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
	let token = "";
	let issuer_port = 0;
	await house.shared("issuer", async () => {
		const { contender, report } = await startReporting("issuer");
		token = String(report["token"]);
		issuer_port = contender.port;
		return contender;
	});
	const config = readFileSync(full_config, "utf8")
		.replace("http://ISSUER", `http://127.0.0.1:${issuer_port}`)
		.replace("[NODE, ECHO,", `[${JSON.stringify(process.execPath)}, ${JSON.stringify(echoPath)},`);
	const gateway = await house.shared("full gateway", () =>
		startGateway(config, { environment: { MOORAGE_BENCH_SECRET: crypto.randomUUID() } }),
	);
	return { gateway, token };
}
