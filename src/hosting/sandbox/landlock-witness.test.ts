import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { makeSpawner } from "../../../test/support/hosted-child.ts";
import { runHosted, sandboxed, sandboxObstacle } from "../../../test/support/sandboxed.ts";
import { until } from "../../../test/support/until.ts";
import type { EgressPlan } from "../../config/plan.ts";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import { systemRandom } from "../../lib/random.ts";
import { Egress } from "../egress/egress.ts";
import type { ContainmentMode } from "../process/containment.ts";
import { probeContainment } from "../process/containment.ts";

/** What programs under Landlock try past their proxy fails, and is told to the gateway. */

const { PATH } = processEnvironment();
const obstacle = await sandboxObstacle("landlock");
const contained = await probeContainment({ environment: processEnvironment(), clock: systemClock });
const modes: readonly ContainmentMode[] =
	contained.obstacle === undefined ? ["pid-namespace", "watcher"] : ["watcher"];
/** The system's, which every sandbox shows. */
const python = "/usr/bin/python3";

interface Trial {
	readonly args: readonly string[];
	readonly command?: string;
	readonly plan?: EgressPlan;
	readonly untrusted?: boolean;
	/** How many hosts are waited for. */
	readonly expected: number;
	/** A name of the folder for sockets. */
	readonly folder?: string;
}

for (const containment of modes) {
	describe(`what a program under Landlock tries past its proxy (${containment})`, {
		skip: obstacle,
	}, () => {
		/** Runs a program, and resolves with what it printed and what was told of it. */
		async function tried(t: TestContext, trial: Trial) {
			const { args, plan = { kind: "public" }, untrusted = false, expected } = trial;
			const spawner = await makeSpawner({
				environment: { PATH },
				sandbox: "landlock",
				containment,
			});
			t.after(() => spawner[Symbol.asyncDispose]());
			const lines: string[] = [];
			const egress = new Egress({
				folder: join(spawner.data_dir, trial.folder ?? "egress"),
				clock: systemClock,
				loopback: systemRandom,
				onRefused: (_server, text) => lines.push(text),
			});
			t.after(() => egress.close());
			const gate = await egress.open({ server: "it", plan, untrusted });
			const own = join(spawner.data_dir, "volumes", "it");
			const confinement = sandboxed(
				own,
				{ mode: "on", egress: plan },
				{ way: gate?.way, untrusted },
			);
			const { command } = trial;
			const ended = await runHosted(spawner, { args, confinement, ...(command && { command }) });
			const found = () => egress.report("it").unproxied;
			await until(() => found().length >= expected);
			const hosts = found().map(({ host, port }) => `${host}:${port}`);
			const { loopback } = gate?.way ?? {};
			return { ...ended, hosts: hosts.toSorted(), lines, proxy_port: loopback?.port };
		}

		const connects = (places: readonly string[]) => [
			"-e",
			`for (const place of ${JSON.stringify(places)}) {
				const [, host, port] = /(.*):(\\d+)/.exec(place);
				require("node:net").connect(Number(port), host)
					.on("connect", () => console.log("connected"))
					.on("error", ({ code }) => console.log(code));
			}`,
		];

		test("is named by its address, and fails as before", async (t) => {
			const listener = createServer((socket) => socket.end());
			await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
			t.after(() => listener.close());
			const { port } = listener.address() as { port: number };
			const places = [
				"192.0.2.7:443",
				"169.254.169.254:80",
				"2001:db8::1:443",
				`127.0.0.1:${port}`,
			];
			const { stdout, hosts, lines, notes } = await tried(t, {
				args: connects(places),
				expected: 4,
			});
			assert.deepEqual([...new Set(stdout.trim().split("\n"))], ["EACCES"]);
			assert.deepEqual(hosts, places.toSorted());
			assert.ok(
				lines.includes("tried 192.0.2.7:443 past its proxy, and may not"),
				lines.join("\n"),
			);
			assert.match(notes.join(" "), /past its proxy is recorded by address/u);
		});

		test("is named for a server that is shut off, too", async (t) => {
			const trial = { args: connects(["192.0.2.7:443"]), untrusted: true, expected: 1 };
			const { stdout, hosts, notes } = await tried(t, trial);
			assert.equal(stdout, "EACCES\n");
			assert.deepEqual(hosts, ["192.0.2.7:443"]);
			assert.match(notes.join(" "), /network is closed, .* is recorded by address/u);
		});

		test("is named when a child of it tries", async (t) => {
			const inner = JSON.stringify(connects(["192.0.2.8:25"]));
			const script = `require("node:child_process")
				.spawn(process.execPath, ${inner}, { stdio: "inherit" });`;
			const { stdout, hosts } = await tried(t, { args: ["-e", script], expected: 1 });
			assert.equal(stdout, "EACCES\n");
			assert.deepEqual(hosts, ["192.0.2.8:25"]);
		});

		test("is told also where the folder of its socket has a long name", async (t) => {
			const folder = join("a".repeat(120), "egress");
			const trial = { args: connects(["192.0.2.9:443"]), expected: 1, folder };
			const { hosts } = await tried(t, trial);
			assert.deepEqual(hosts, ["192.0.2.9:443"]);
		});

		test("shows that it looks names up by itself", async (t) => {
			const script = `
				require("node:dns").lookup("api.example.com", ({ code }) => console.log(code));`;
			const { stdout, hosts } = await tried(t, { args: ["-e", script], expected: 1 });
			assert.match(stdout, /ENOTFOUND|EAI_AGAIN|EAI_FAIL/u);
			assert.match(hosts.join(" "), /:53\b/u);
		});

		test("is not what it does by its proxy", async (t) => {
			const script = `fetch("http://127.0.0.1:12345/").catch(() => {})
				.then(() => fetch("http://10.0.0.1/")).catch((it) => console.log(it.cause.cause.message));`;
			const { stdout, stderr, hosts } = await tried(t, {
				args: ["-e", script],
				// Loopback is for no proxy: that much is tried past it.
				expected: 1,
			});
			assert.match(stdout, /Proxy response \(403\)/u, stderr);
			assert.deepEqual(hosts, ["127.0.0.1:12345"]);
		});

		test("holds it to listening nowhere, also without a port of its choice", {
			skip: !existsSync(python) && `needs ${python}`,
		}, async (t) => {
			const script = `
import socket
try:
    socket.socket().listen()
    print("listens")
except OSError as e: print(e.errno)`;
			const { stdout, stderr } = await tried(t, {
				args: ["-c", script],
				command: python,
				expected: 0,
			});
			assert.equal(stdout, "1\n", stderr);
		});
	});
}
