import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { echoArguments, startProgram } from "../contenders.ts";
import { distributionOf } from "../hosting/distribution.ts";
import type { HostingCase } from "../hosting/measured.ts";
import { echoServer, withScene } from "../hosting/scene.ts";
import { modernCall } from "../requests.ts";

/** Somebody who asks one thing at a time; resolves when the answer is whole. */
type Ask = () => Promise<void>;

/** The code of a call is compiled while it runs: before that, another thing is measured. */
const warm_calls = 5_000;
const calls_a_round = 300;

/** What the gateway adds to a call that is alone, in milliseconds. */
export const added_latency: HostingCase = {
	name: "latency-added",
	title: "one call at a time, through the gateway and to the server itself",
	async measure(short) {
		const remote = await startProgram("echo", "--era", "modern", "--http");
		const direct = directlyOverStdio();
		const url = `http://127.0.0.1:${remote.port}/mcp`;
		const config = { servers: { near: echoServer(), far: { url } }, ...nothing_kept };
		const agent = new Agent({ keepAlive: true });
		try {
			return await withScene(config, async ({ gateway }) => {
				const asks = {
					stdio_direct: direct.ask,
					stdio: overHttp(agent, gateway.port, "/near/mcp"),
					http_direct: overHttp(agent, remote.port, "/mcp"),
					http: overHttp(agent, gateway.port, "/far/mcp"),
				};
				const times = await inTurns(asks, short ? 3 : 10);
				const of = (side: keyof typeof asks) => distributionOf(times[side]);
				return {
					stdio_added_p50_ms: of("stdio").p50 - of("stdio_direct").p50,
					stdio_added_p99_ms: of("stdio").p99 - of("stdio_direct").p99,
					http_added_p50_ms: of("http").p50 - of("http_direct").p50,
					http_added_p99_ms: of("http").p99 - of("http_direct").p99,
					http_direct_p50_ms: of("http_direct").p50,
					http_direct_p99_ms: of("http_direct").p99,
				};
			});
		} finally {
			agent.destroy();
			await direct.stop();
			await remote.stop();
		}
	},
};

const nothing_kept = { audit: "off", calls: { log: "off", history: "off" } };

/** Each has its rounds beside the others', so that a busy moment is one for all of them. */
async function inTurns<Side extends string>(
	asks: Readonly<Record<Side, Ask>>,
	rounds: number,
): Promise<Record<Side, number[]>> {
	const sides = Object.keys(asks) as Side[];
	const times = Object.fromEntries(sides.map((side) => [side, []])) as unknown as Record<
		Side,
		number[]
	>;
	for (const side of sides) for (let call = 0; call < warm_calls; call += 1) await asks[side]();
	for (let round = 0; round < rounds; round += 1) {
		for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
			for (let call = 0; call < calls_a_round; call += 1) {
				const started = performance.now();
				await asks[side]();
				times[side].push(performance.now() - started);
			}
		}
	}
	return times;
}

/** A client of a server's own standard streams. */
function directlyOverStdio(): { ask: Ask; stop(): Promise<void> } {
	const child = spawn(process.execPath, echoArguments("--era", "modern"), {
		stdio: ["pipe", "pipe", "inherit"],
	});
	let answered: (line: string) => void = () => undefined;
	createInterface({ input: child.stdout }).on("line", (line) => answered(line));
	const { body, marker } = modernCall();
	const line = `${body.replace("$ID", "1")}\n`;
	return {
		async ask() {
			const answer = new Promise<string>((resolve) => {
				answered = resolve;
			});
			child.stdin.write(line);
			if (!(await answer).includes(marker)) throw new Error("the server answered something else");
		},
		async stop() {
			const ended = once(child, "exit");
			child.stdin.end();
			await ended;
		},
	};
}

function overHttp(agent: Agent, port: number, path: string): Ask {
	const { headers, body, marker } = modernCall();
	const text = body.replace("$ID", "1");
	const options = {
		...{ host: "127.0.0.1", port, path, agent, method: "POST" },
		headers: { ...headers, "content-length": Buffer.byteLength(text) },
	};
	return () =>
		new Promise((resolve, reject) => {
			const sent = request(options, (response) => {
				let answer = "";
				response.setEncoding("utf8");
				response.on("data", (chunk: string) => {
					answer += chunk;
				});
				response.on("end", () => {
					if (answer.includes(marker)) resolve();
					else reject(new Error(`${path} answered ${response.statusCode}: ${answer}`));
				});
			});
			sent.on("error", reject);
			sent.end(text);
		});
}
