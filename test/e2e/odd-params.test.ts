import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { members_max } from "../../src/wire/index-message.ts";
import { depth_max } from "../../src/wire/scan.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";

/** Params by hand that JSON allows and no message of MCP can carry. */

const key = newApiKey(systemRandom);
let gateway: TestGateway;

before(async () => {
	const ana = { name: "ana", hash: `sha256:${hashApiKey(key)}`, tenant: "acme", user: "ana" };
	gateway = await startGateway({
		identity: { keys: [{ ...ana, roles: ["member"] }] },
		servers: {
			echo: stdioFixture("echo"),
			slow: {
				...stdioFixture("slow"),
				tools: { wait: { approval: { approvers: ["role:admin", "local"], edit: true } } },
			},
		},
		approvals: { wait: "45s", expires: "1h" },
	});
});

after(() => gateway.stop());

async function post(path: string, body: string, admin = false) {
	const token = admin ? await adminToken() : key;
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	const response = await fetch(new URL(path, gateway.url), { method: "POST", headers, body });
	return { status: response.status, text: await response.text() };
}

const adminToken = async () => {
	return (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
};

const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const many = Array.from({ length: members_max }, (_, index) => `"m${index}":1`).join(",");
const odd = {
	"a member twice": '{"name":"echo","name":"other"}',
	"one level more than a message has": `{"name":"echo","arguments":${nested(depth_max - 1)}}`,
	"deeper than any message": `{"name":"echo","arguments":${nested(depth_max * 2)}}`,
	"deep enough to fill a stack": `{"_meta":{},"arguments":${nested(50_000)}}`,
	"too many members": `{"name":"echo",${many}}`,
};

for (const [what, params] of Object.entries(odd)) {
	test(`a call by hand with ${what} is refused, and the gateway goes on`, async () => {
		for (const server of ["echo", "mcp"]) {
			const body = `{"server":"${server}","method":"tools/call","params":${params}}`;
			const refused = await post("/api/playground", body);
			assert.equal(refused.status, 400, refused.text);
			assert.match(refused.text, /params: .*"invalid_request"/);
		}
		const args = '{"name":"echo","arguments":{"text":"still here"}}';
		const body = `{"server":"echo","method":"tools/call","params":${args}}`;
		assert.match((await post("/api/playground", body)).text, /event: result.*still here/s);
	});
}

test("a plain call with arguments nested too deep is refused", async () => {
	const refused = await post("/api/servers/echo/tools/echo/call", nested(depth_max), true);
	assert.equal(refused.status, 400, refused.text);
	assert.match(refused.text, /"invalid_request"/);
});

test("an approver's edit that is nested too deep is refused, and nothing runs", async () => {
	const waits = post(
		"/api/playground",
		'{"server":"slow","method":"tools/call","params":{"name":"wait","arguments":{"ms":1}}}',
	);
	const path = "/api/approvals?state=pending";
	const find = async () =>
		(await adminDone<{ approvals: { id: string }[] }>(gateway, "GET", path)).approvals;
	const [asked] = await eventually(find, (all) => all.length > 0);
	const decision = `/api/approvals/${asked?.id}/decision`;
	const edit = (args: string) => post(decision, `{"verdict":"approve","arguments":${args}}`, true);
	const refused = await edit(`{"ms":2,"deep":${nested(depth_max)}}`);
	assert.equal(refused.status, 400, refused.text);
	assert.match(refused.text, /arguments: .*"invalid_request"/);
	assert.equal((await find()).length, 1, "it waits as before");
	assert.equal((await edit('{"ms":2}')).status, 200);
	assert.match((await waits).text, /waited 2 ms/);
});
