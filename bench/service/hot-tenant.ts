import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { median, ratio, rounded } from "../figures.ts";
import type { HostingCase } from "../hosting/measured.ts";
import { echoServer, withScene } from "../hosting/scene.ts";
import { LoadGenerator, type LoadRequest } from "../load.ts";
import { modernCall } from "../requests.ts";

/** Calls a second that are a tenant's share, and how many times that the hot one makes. */
const share = 100;
const times_hot = 10;
const quiet_tenants = 4;
const connections = 16;

/** Whether others notice that a tenant calls ten times as often as they do. */
export const hot_tenant: HostingCase = {
	name: "hot-tenant",
	title: `${quiet_tenants} tenants at ${share} calls a second each, beside one at as many and at ${times_hot} times`,
	async measure(short) {
		const keys = new Map(
			["hot", ...Array.from({ length: quiet_tenants }, (_, at) => `quiet-${at}`)].map((tenant) => [
				tenant,
				newApiKey(systemRandom),
			]),
		);
		const identity = {
			keys: [...keys].map(([tenant, key]) => ({
				...{ name: tenant, tenant, user: "bot" },
				hash: `sha256:${hashApiKey(key)}`,
			})),
		};
		const servers = { echo: { ...echoServer(), scope: "shared", start: "eager" } };
		return withScene({ identity, servers }, async ({ gateway }) => {
			const hot = new LoadGenerator();
			const others = Array.from({ length: quiet_tenants }, () => new LoadGenerator());
			const run_ms = short ? 1_500 : 4_000;
			const requestOf = (tenant: string): LoadRequest => {
				const say = modernCall();
				const headers = { ...say.headers, authorization: `Bearer ${keys.get(tenant)}` };
				return { port: gateway.port, path: "/echo/mcp", ...say, headers };
			};
			/** The worst p99 of a quiet tenant while the hot one calls so often. */
			const worstBeside = async (hot_rate: number) => {
				const shape = { connections, warm_ms: 500, run_ms };
				const loads = others.map((one, at) =>
					one.run(requestOf(`quiet-${at}`), { ...shape, rate: share }, gateway.pid),
				);
				const heat = hot.run(requestOf("hot"), { ...shape, rate: hot_rate }, gateway.pid);
				const samples = await Promise.all(loads);
				await heat;
				return Math.max(...samples.map(({ p99_ms }) => p99_ms));
			};
			try {
				const [baseline, beside_hot]: [number[], number[]] = [[], []];
				for (let round = 0; round < (short ? 1 : 5); round += 1) {
					baseline.push(await worstBeside(share));
					beside_hot.push(await worstBeside(share * times_hot));
				}
				const [before, beside] = [median(baseline), median(beside_hot)];
				return {
					baseline_p99_ms: rounded(before, 3) ?? 0,
					beside_hot_p99_ms: rounded(beside, 3) ?? 0,
					times_baseline: rounded(ratio(beside, before), 2) ?? 0,
				};
			} finally {
				for (const one of [hot, ...others]) one.stop();
			}
		});
	},
};
