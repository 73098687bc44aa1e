import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminStream, eventsOf } from "../support/admin-events.ts";
import { adminDone, adminRequest } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";

const credentials = {
	root: newApiKey(systemRandom),
	ana: newApiKey(systemRandom),
	bob: newApiKey(systemRandom),
};

type Person = keyof typeof credentials;

interface ApprovalView {
	readonly id: string;
	readonly state: string;
	readonly principal: string;
	readonly made_by?: string;
	readonly may_decide: boolean;
	readonly votes: readonly { readonly approver: string; readonly verdict: string }[];
}

let gateway: TestGateway;

before(async () => {
	const key = (user: Person, role: string) => ({
		name: user,
		hash: `sha256:${hashApiKey(credentials[user])}`,
		tenant: "acme",
		user,
		roles: [role],
	});
	gateway = await startGateway({
		identity: { keys: [key("root", "admin"), key("ana", "approver"), key("bob", "approver")] },
		servers: {
			slow: { ...stdioFixture("slow"), tools: { wait: { approval: { other_than_caller: true } } } },
		},
		approvals: { wait: "45s", expires: "1h" },
	});
});

after(() => gateway.stop());

const bearer = (who: Person) => ({
	authorization: `Bearer ${credentials[who]}`,
	"content-type": "application/json",
});

const ana = { tenant: "acme", user: "ana" };

/** A call by hand, to its end; whoever makes it sends the question for an approval away. */
async function play(
	who: Person,
	ms: number,
	{ as, answer = "cancel" }: { readonly as?: typeof ana; readonly answer?: string } = {},
): Promise<string> {
	const params = { name: "wait", arguments: { ms } };
	const body = { server: "slow", method: "tools/call", params, as };
	const headers = bearer(who);
	const response = await adminStream(gateway, "/api/playground", { body, headers });
	assert.equal(response.status, 200);
	let id = "";
	for await (const { type, data } of eventsOf(response)) {
		if (type === "started") id = (data as { id: string }).id;
		if (type === "question") {
			const path = `/api/playground/${id}/answers/${(data as { id: string }).id}`;
			await adminDone(gateway, "POST", path, { action: answer }, credentials[who]);
		}
		if (type === "result") return (data as { reply: string }).reply;
	}
	throw new Error("the stream ended without a result");
}

/** The same of the admin Root, in Ana's name. */
const playAsAna = (ms: number, answer?: string) =>
	play("root", ms, { as: ana, ...(answer === undefined ? {} : { answer }) });

async function approvals(state: string): Promise<readonly ApprovalView[]> {
	const path = `/api/approvals?state=${state}`;
	const all = await adminDone<{ approvals: ApprovalView[] }>(gateway, "GET", path);
	return all.approvals;
}

const seenBy = (who: Person, id: string) =>
	adminDone<ApprovalView>(gateway, "GET", `/api/approvals/${id}`, undefined, credentials[who]);

const approve = async (who: Person, id: string) => {
	const path = `/api/approvals/${id}/decision`;
	const yes = { verdict: "approve" };
	return (await adminRequest(gateway, "POST", path, yes, credentials[who])).status;
};

test("neither who makes a call in another's name nor that person approves it, and both are named", async () => {
	assert.match(await playAsAna(5), /approval_pending/);
	const [waits, ...others] = await approvals("pending");
	assert.ok(waits !== undefined && others.length === 0);
	assert.deepEqual([waits.principal, waits.made_by], ["acme/ana", "acme/root"]);
	for (const caller of ["root", "ana"] as const) {
		assert.equal((await seenBy(caller, waits.id)).may_decide, false, caller);
		assert.equal(await approve(caller, waits.id), 403, caller);
	}
	assert.equal((await seenBy("bob", waits.id)).may_decide, true);

	assert.match(await play("ana", 5), /approval_pending/);
	const both = await approvals("pending");
	const hers = both.find(({ id }) => id !== waits.id);
	assert.equal(hers?.made_by, undefined, "Ana's own call waits for itself");
	assert.equal(both.length, 2);
	assert.equal(await approve("root", hers?.id ?? ""), 200, "which Root may decide about");

	assert.match(await playAsAna(5), /approval_pending/, "and not make in her place");
	assert.equal(await approve("bob", waits.id), 200);
	assert.match(await playAsAna(5), /waited 5 ms/);
	assert.equal((await seenBy("bob", waits.id)).state, "done");
	assert.equal((await seenBy("ana", hers?.id ?? "")).state, "approved");
});

test("the call log and the audit say who really made a call", async () => {
	interface Line {
		readonly id: string;
		readonly user: string;
		readonly made_by: string | null;
		readonly status: string;
	}
	const find = async () => {
		const { calls } = await adminDone<{ calls: Line[] }>(gateway, "GET", "/api/calls?limit=100");
		return calls.filter(({ user, made_by }) => user === "ana" && made_by !== null);
	};
	const ran = (all: readonly Line[]) => all.find(({ status }) => status === "ok");
	const line = ran(await eventually(find, (all) => ran(all) !== undefined));
	assert.equal(line?.made_by, "acme/root");
	const audited = await adminDone<{ entries: Record<string, unknown>[] }>(
		gateway,
		"GET",
		`/api/calls/${line.id}/payload`,
	);
	const [intent] = audited.entries;
	assert.deepEqual([intent?.["user"], intent?.["made_by"]], ["ana", "acme/root"]);
});

test("who makes a call in another's name takes it back in their own", async () => {
	assert.match(await playAsAna(6, "decline"), /approval_denied/);
	const [denied] = await approvals("denied");
	assert.deepEqual(
		denied?.votes.map(({ approver, verdict }) => [approver, verdict]),
		[["acme/root", "deny"]],
	);
});

test("an off switch for a person stops what they do in others' names", async () => {
	const off = { kind: "user", name: "acme/root", reason: "On leave." };
	const { id } = await adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", off);
	assert.match(await playAsAna(7), /switched_off/);
	await adminDone(gateway, "DELETE", `/api/kill-switches/${encodeURIComponent(id)}`);
	assert.match(await playAsAna(7), /approval_pending/);
});

test("only an admin calls in another's name", async () => {
	const params = { name: "wait", arguments: { ms: 1 } };
	const as = { tenant: "acme", user: "bob" };
	const body = { server: "slow", method: "tools/call", params, as };
	const refused = await adminStream(gateway, "/api/playground", { body, headers: bearer("ana") });
	assert.equal(refused.status, 403);
});
