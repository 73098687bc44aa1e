import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { until } from "../../../test/support/until.ts";
import { systemClock } from "../../lib/clock.ts";
import { Egress } from "./egress.ts";
import { forward_programs } from "./forward-programs.ts";

/** What real programs try past their proxy, in a sandbox, is told to the gateway. */

const is_covered = process.platform === "linux" && process.arch in forward_programs;

function works([program = "", ...args]: readonly string[]): boolean {
	try {
		execFileSync(program, args, { stdio: "ignore" });
		return true;
	} catch {
		return false;
	}
}

const bubblewrap = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/"];
const skip =
	!(is_covered && works([...bubblewrap, "true"])) &&
	"needs bubblewrap, and the forwarder's processor";

/** Runs a command in a sandbox, and resolves with what it printed and what was told of it. */
async function tried(t: TestContext, command: readonly string[], expected: number) {
	const folder = join(await tempFolder(t), "egress");
	const lines: string[] = [];
	const onRefused = (_server: string, text: string) => lines.push(text);
	const egress = new Egress({ folder, clock: systemClock, onRefused });
	t.after(() => egress.close());
	const plan = { kind: "hosts", hosts: [] } as const;
	const gate = await egress.open({ server: "files", plan, untrusted: false });
	assert.ok(gate?.way !== undefined);
	const { way } = gate;
	const [program = "", ...args] = [
		...[...bubblewrap, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"],
		// As in every sandbox whose network is closed.
		...["--ro-bind", "/dev/null", realpathSync("/etc/resolv.conf")],
		...way.binds.flatMap(({ from, to }) => ["--ro-bind", from, to]),
		...["--", ...way.prefix, ...command],
	];
	const stdout = await new Promise<string>((resolve) => {
		execFile(program, args, { env: { PATH: process.env["PATH"] ?? "" } }, (_error, text) => {
			resolve(text);
		});
	});
	const found = () => egress.report("files").unproxied;
	await until(() => found().length >= expected);
	const hosts = found().map(({ host, port }) => `${host}:${port}`);
	return { stdout: stdout.trim(), hosts: hosts.toSorted(), lines };
}

/** A program as it is found outside, because inside there is no shell to look for it. */
function pathOf(program: string): string {
	return execFileSync("/bin/sh", ["-c", 'command -v "$0"', program], { encoding: "utf8" }).trim();
}

const node = (script: string) => [process.execPath, "-e", script];

test("connections by address are named, also by version 6, and fail as before", {
	skip,
}, async (t) => {
	const script = `
		const net = require("node:net");
		for (const host of ["192.0.2.7", "169.254.169.254", "2001:db8::1", "::ffff:192.0.2.9"])
			net.connect(443, host).on("error", ({ code }) => console.log(code));`;
	const { stdout, hosts, lines } = await tried(t, node(script), 4);
	assert.deepEqual([...new Set(stdout.split("\n"))], ["ENETUNREACH"]);
	assert.deepEqual(hosts, [
		"169.254.169.254:443",
		"192.0.2.7:443",
		"192.0.2.9:443",
		"2001:db8::1:443",
	]);
	assert.ok(lines.includes("tried 192.0.2.7:443 past its proxy, where there is no network"));
});

test("names that a program looks up itself are named", { skip }, async (t) => {
	const script = `
		require("node:dns").lookup("api.example.com", ({ code }) => console.log(code));`;
	const { stdout, hosts } = await tried(t, node(script), 1);
	assert.match(stdout, /ENOTFOUND|EAI_AGAIN/);
	assert.ok(hosts.includes("api.example.com:53"), hosts.join(" "));
});

test("a name server that is asked in its own way is named itself", { skip }, async (t) => {
	const script = `
		const socket = require("node:dgram").createSocket("udp4");
		socket.connect(53, "192.0.2.53", () => socket.close());`;
	const { hosts } = await tried(t, node(script), 1);
	assert.deepEqual(hosts, ["192.0.2.53:53"]);
});

test("datagrams that are sent to an address are named", { skip }, async (t) => {
	const script = `
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for to in ("192.0.2.7", 123), ("192.0.2.8", 53):
			try: s.sendto(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\3WWW\\7example\\0\\0\\1\\0\\1", to)
			except OSError as e: print(e.errno)`;
	const text = script.replace(/^\t\t/gm, "").trim();
	const { stdout, hosts } = await tried(t, [pathOf("python3"), "-c", text], 2);
	assert.equal(stdout, "101\n101");
	assert.deepEqual(hosts, ["192.0.2.7:123", "www.example:53"]);
});

test("what stays inside is nobody's business, and works", { skip }, async (t) => {
	const script = `
		const net = require("node:net");
		const server = net.createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1", () => {
			const inside = net.connect(server.address().port, "127.0.0.1").setEncoding("utf8");
			inside.on("data", (text) => {
				console.log(text);
				server.close();
				net.connect(9, "192.0.2.1").on("error", () => undefined);
			});
		});`;
	const { stdout, hosts } = await tried(t, node(script), 1);
	assert.equal(stdout, "hello");
	assert.deepEqual(hosts, ["192.0.2.1:9"]);
});

test("children, threads and many attempts at a time are seen, as far as they can be told", {
	skip,
}, async (t) => {
	const script = `
		const { execFileSync } = require("node:child_process");
		const { Worker } = require("node:worker_threads");
		const connect = (port) =>
			'require("node:net").connect(' + port + ', "192.0.2.1").on("error", () => undefined)';
		execFileSync(process.execPath, ["-e", connect(1001)]);
		new Worker(connect(1002), { eval: true });
		const net = require("node:net");
		let left = 500;
		const again = () => net.connect(1003, "192.0.2.1").on("error", () => {
			left -= 1;
			if (left > 0) again(); else console.log("done");
		});
		again();`;
	const { stdout, hosts } = await tried(t, node(script), 3);
	assert.equal(stdout, "done");
	assert.deepEqual(hosts, ["192.0.2.1:1001", "192.0.2.1:1002", "192.0.2.1:1003"]);
});
