import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { ServerStatus } from "../admin/contract.ts";
import { Output } from "./output.ts";
import { printServer } from "./server-details.ts";

const quiet: ServerStatus = {
	name: "files",
	title: "files",
	driver: "stdio",
	state: "stopped",
	restarts: 0,
	instances: [],
};

function printed(server: ServerStatus): string {
	const stdout = new PassThrough();
	const output = new Output({ stdout, stderr: new PassThrough(), environment: {} });
	printServer(server, output);
	return String(stdout.read() ?? "");
}

test("a server that asked nothing of the network is told in one line", () => {
	assert.equal(printed(quiet), "files stopped\n");
});

test("a server that failed says why", () => {
	assert.equal(
		printed({ ...quiet, state: "failed", reason: "It ended." }),
		"files failed\nIt ended.\n",
	);
});

test("what was refused and reached is shown, and the line that closes the server to it", () => {
	const times = { first_at_ms: 1, last_at_ms: 2 };
	const egress = {
		used: [{ host: "api.example.com", port: 443, count: 1, ...times }],
		refused: [{ host: "evil.example", port: 443, count: 3, ...times }],
		forgotten: 0,
	};
	const instances = [
		{ id: 4, scope_key: "", state: "ready", revision: "2025-11-25", leases: 1, waiting: 0 },
	] as const;
	const text = printed({ ...quiet, state: "ready", instances: [...instances], egress });
	assert.match(text, /^4 +ready +2025-11-25 +1 +0$/m);
	assert.match(text, /^refused: evil\.example:443 \(3 times\)$/m);
	assert.match(text, /^reached: api\.example\.com:443 \(once\)$/m);
	assert.match(text, /sandbox: \{ egress: \[api\.example\.com\] \}$/m);
});
