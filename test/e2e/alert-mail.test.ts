import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { type LineProcess, startLineProcess } from "../support/line-process.ts";
import { runCli } from "../support/run-cli.ts";
import { openWire } from "../support/wire-clients.ts";

interface Mail {
	readonly kind: string;
	readonly to: readonly string[];
	readonly text: string;
}

const isMail = ({ kind }: Mail) => kind === "mail";

/** A gateway whose alerts are told by mail, over servers that stand in for those of people. */
async function startMailing(t: TestContext, servers: readonly string[]) {
	const email = servers.map((server) => ({
		server,
		from: "moorage@example.com",
		to: ["ana@example.com", "bob@example.com"],
	}));
	const gateway = await startGateway({
		servers: { echo: stdioFixture("echo") },
		alerts: { email },
	});
	t.after(() => gateway.stop());
	const data = join(gateway.folder, ".moorage");
	const cli = (...args: string[]) =>
		runCli([...args, "--data", data, "--json"], { cwd: gateway.folder });
	return { gateway, cli };
}

async function startSink(t: TestContext, ...args: string[]): Promise<LineProcess> {
	const sink = await startLineProcess("smtp-sink", ...args);
	t.after(() => sink.stop());
	return sink;
}

test("`moorage alerts test` sends a mail, and no password is told of one that fails", async (t) => {
	const sink = await startSink(t, "--auth");
	const [right, wrong] = ["s3cret", "not-the-password"].map(
		(password) => `smtp://ana:${password}@127.0.0.1:${sink.port}`,
	);
	const { cli } = await startMailing(t, [right as string, wrong as string]);
	const outcome = await cli("alerts", "test");
	assert.notEqual(outcome.code, 0);
	const { channels } = JSON.parse(outcome.stdout) as {
		channels: { told: boolean; problem?: string }[];
	};
	assert.deepEqual(
		channels.map(({ told, problem }) => [told, problem]),
		[
			[true, undefined],
			[false, "the mail server refused the login (535)"],
		],
	);
	assert.ok(!`${outcome.stdout}${outcome.stderr}`.includes("not-the-password"));
	const { to, text } = await sink.find(isMail);
	assert.deepEqual(to, ["ana@example.com", "bob@example.com"]);
	assert.match(text, /^Subject: \[TEST\] info test moorage\r$/m);
});

test("an alert that fires is one mail, with what to type next", async (t) => {
	const sink = await startSink(t);
	const { gateway } = await startMailing(t, [`smtp://127.0.0.1:${sink.port}`]);
	const client = await openWire("modern", gateway.address());
	await client.call("echo__no_such_tool", "{}");
	const { text } = await sink.find(isMail);
	assert.match(text, /^Subject: \[FIRING\] warning unknown_tool mcp\r$/m);
	assert.match(text, /moorage alerts show/);
});
