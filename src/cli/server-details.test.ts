import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { InstanceStatus, ServerDetails, ServerStatus } from "../admin/contract.ts";
import { Output } from "./output.ts";
import { printServer } from "./server-details.ts";

const now_ms = 1_700_000_060_000;

const quiet: ServerDetails = {
	status: {
		name: "files",
		title: "files",
		driver: "stdio",
		state: "stopped",
		restarts: 0,
		instances: [],
	},
	scope: "shared",
	untrusted: false,
	sandbox: "on",
	network: "egress: none",
	usage: [],
	limits: { memory_bytes_max: 1024 ** 3, processes_max: 64 },
	limited_by: "control groups of version 2",
	stderr: [],
	stdout: [],
	oddities: [],
};

const instance: InstanceStatus = {
	id: 4,
	scope_key: "",
	state: "ready",
	ready_at_ms: now_ms - 60_000,
	leases: 1,
	waiting: 2,
	sandbox: { kind: "bubblewrap", notes: ["It can write /srv."] },
	notes: ["It can write /srv.", "The limit on memory cannot be enforced on this machine."],
	volume: "/data/volumes/files",
};

function printed(details: Partial<ServerDetails>, status: Partial<ServerStatus> = {}): string {
	const stdout = new PassThrough();
	const output = new Output({ stdout, stderr: new PassThrough(), environment: {} });
	const whole = { ...quiet, ...details };
	printServer({ ...whole, status: { ...whole.status, ...status } }, now_ms, output);
	return String(stdout.read() ?? "");
}

test("a server that sleeps is told by what is asked for it", () => {
	assert.equal(
		printed({}),
		`files stopped (stdio, shared)

sandbox  on
network  egress: none
limits   memory 1GiB, processes 64 (control groups of version 2)
`,
	);
});

test("a server that failed says why, with which exit code, when it is tried again, and what it wrote", () => {
	const text = printed(
		{ stderr: ["cannot \u001b[31mread\u001b[0m"] },
		{
			state: "failed",
			reason: "It ended.",
			code: "server_failed",
			exit_code: 3,
			restarts: 2,
			next_try_at_ms: now_ms + 8_000,
		},
	);
	assert.match(text, /^files failed \(stdio, shared\)\nIt ended\.\n/);
	assert.match(text, /^server_failed, exit code 3, next try in 8 s, restarted 2 times$/m);
	assert.match(text, /^Last lines of its standard error:\n {2}cannot read$/m);
});

test("a server that runs again says what went wrong last, and one that is being tried says so", () => {
	const last_failure = { reason: "It exited with code 8.", exit_code: 8, at_ms: now_ms - 20_000 };
	const again = printed({}, { state: "ready", restarts: 1, last_failure });
	assert.match(again, /^restarted 1 time\nlast trouble 20 s ago: It exited with code 8\.$/m);
	const failed = { reason: "It exited with code 8.", code: "server_failed", last_failure };
	const tried = printed({}, { state: "starting", ...failed, next_try_at_ms: now_ms - 1 });
	assert.match(tried, /^server_failed, being tried again$/m);
	assert.doesNotMatch(tried, /last trouble/);
	const left = printed({}, { state: "stopped", ...failed, next_try_at_ms: now_ms - 1 });
	assert.match(left, /^server_failed, tried again with the next call$/m);
});

test("what a server said of its failure, wrote beside messages and did wrong is shown in short", () => {
	const text = printed(
		{
			stdout: [`\u001b[1mTraceback${"!".repeat(9_000)}`],
			oddities: [{ text: "wrote too much", count: 3, last_at_ms: now_ms - 2_000 }],
		},
		{ state: "failed", reason: "It refused.", detail: "licence expired\n" },
	);
	assert.match(text, /^It refused\.\nmore of it: licence expired/m);
	assert.match(
		text,
		/^What it did that no server should:\n {2}wrote too much \(3 times, last 2 s ago\)$/m,
	);
	const title = "Last lines of its standard output that are no messages:";
	assert.match(text, new RegExp(`^${title}\n {2}Traceback!{300,400}…$`, "m"));
});

test("an instance is shown with what it uses, what confines it, and its volume", () => {
	const usage = [{ instance: 4, memory_bytes: 50 * 1024 ** 2, cpu_ms: 250, processes: 3 }];
	const text = printed({ usage }, { state: "ready", instances: [instance] });
	assert.match(text, /^sandbox {2}on; now: bubblewrap$/m);
	assert.match(text, /^4 +ready +1 min +everybody +1 +2 +50\.0 MiB +250 ms +3$/m);
	assert.match(text, /^volume of 4: \/data\/volumes\/files$/m);
	assert.equal(text.match(/It can write \/srv\./g)?.length, 1);
	assert.match(text, /^The limit on memory cannot be enforced/m);
});

test("a server that failed still shows where its files are", () => {
	const left = { ...instance, id: 0, state: "failed" as const, volume: "/data/volumes/full" };
	const text = printed({}, { state: "failed", instances: [left] });
	assert.match(text, /^volume of what does not run: \/data\/volumes\/full$/m);
});

test("whose an instance is shows, and a session's id does not show whole", () => {
	const id = "session:0123456789abcdef0123456789abcdef";
	const instances = [
		{ ...instance, scope_key: id, state: "frozen" as const, reclaimed_bytes: 7 * 1024 ** 2 },
		{ ...instance, id: 5, scope_key: "user:acme/ann", notes: [] },
		{ ...instance, id: 6, scope_key: "" },
	];
	const text = printed({ scope: "session" }, { instances });
	assert.ok(!text.includes(id));
	assert.match(text, /^4 +frozen, 7\.0 MiB given back +1 min +session:0123\S*… /m);
	assert.match(text, /^5 +ready +1 min +user:acme\/ann /m);
	assert.match(text, /^6 +ready +1 min +nobody yet /m);
});

test("a server without a sandbox is told to have an open network", () => {
	const bare = { kind: "none" as const, notes: ["It runs without a sandbox: none here."] };
	const one = { ...instance, sandbox: bare, notes: bare.notes };
	const text = printed({ untrusted: false }, { instances: [one] });
	assert.match(text, /^network {2}open, because nothing confines it$/m);
	assert.match(text, /^It runs without a sandbox: none here\.$/m);
});

test("a remote server has no sandbox, no limits and no network of ours", () => {
	const { network: _, ...remote } = quiet;
	const stdout = new PassThrough();
	const output = new Output({ stdout, stderr: new PassThrough(), environment: {} });
	printServer({ ...remote, status: { ...quiet.status, driver: "http" } }, now_ms, output);
	assert.equal(String(stdout.read()), "files stopped (http, shared)\n\n");
});

test("the version and the package that run are named", () => {
	const digest = `sha256-${"ab".repeat(32)}`;
	const text = printed({
		version: 3,
		rollout: { version: 4, state: "checking" },
		package: { name: "@x/files", version: "1.2.3", digest },
		untrusted: true,
	});
	assert.match(text, /^files stopped \(stdio, shared, untrusted\)$/m);
	assert.match(text, /^version {2}3; 4 on its way: checking$/m);
	assert.match(text, /^package {2}@x\/files@1\.2\.3 sha256-abababababab$/m);
});

test("what was refused and reached is shown, and the line that closes the server to it", () => {
	const times = { first_at_ms: 1, last_at_ms: 2 };
	const egress = {
		used: [{ host: "api.example.com", port: 443, count: 1, ...times }],
		refused: [{ host: "evil.example", port: 443, count: 3, ...times }],
		unproxied: [
			{ host: "192.0.2.1", port: 53, count: 2, ...times },
			{ host: "api.example.org", port: 53, count: 1, ...times },
		],
		forgotten: 0,
		forgotten_used: 0,
	};
	const closing = "egress: [api.example.com]";
	const text = printed({ network: "egress: public", closing }, { egress });
	assert.match(text, /^refused: evil\.example:443 \(3 times\)$/m);
	assert.match(text, /^Its log says why, and what would allow it: moorage logs$/m);
	assert.match(text, /^past its proxy: 192\.0\.2\.1:53 \(2 times\)$/m);
	assert.match(text, /^past its proxy: the address of api\.example\.org \(once\)$/m);
	assert.match(text, /^It has no network but its proxy/m);
	assert.match(text, /^allowed: api\.example\.com:443 \(once\)$/m);
	assert.match(text, /sandbox: \{ egress: \[api\.example\.com\] \}$/m);
	// Nobody is told to write what stands there already.
	assert.doesNotMatch(printed({ network: closing, closing }, { egress }), /To close/);
});
