import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "./conversation.ts";

const hello = (revision: string) =>
	'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",' +
	`"capabilities":{},"clientInfo":{"name":"a","version":"1"}}}\n{"jsonrpc":"2.0","id":0,"result":` +
	`{"protocolVersion":"${revision}","capabilities":{},"serverInfo":{"name":"b","version":"1"}}}`;

function agreed(revision: string): Conversation {
	const conversation = new Conversation();
	const [asked = "", answered = ""] = hello(revision).split("\n");
	assert.equal(conversation.said("to-server", asked), undefined);
	assert.equal(conversation.said("to-client", answered), undefined);
	return conversation;
}

const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}';
const asked = '{"jsonrpc":"2.0","id":1,"method":"roots/list"}';

test("the revision that was agreed on decides what may be said", () => {
	const batch = `[${call}]`;
	assert.equal(agreed("2025-03-26").said("to-server", batch), undefined);
	assert.match(agreed("2025-06-18").said("to-server", batch) ?? "", /^batch/u);
	assert.equal(agreed("2025-03-26").said("to-server", "[]"), "an empty batch");
	// A revision that asks for more than the one before is told apart by it.
	const content = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"resource_link",';
	const link = `${content}"uri":"a:b","name":"c"}]}}`;
	const older = agreed("2025-03-26");
	older.said("to-server", call);
	assert.match(older.said("to-client", link) ?? "", /CallToolResult of 2025-03-26/u);
	const newer = agreed("2025-06-18");
	newer.said("to-server", call);
	assert.equal(newer.said("to-client", link), undefined);
});

test("an answer is held to the form of its question, in both directions and once", () => {
	const conversation = agreed("2025-11-25");
	const empty = '{"jsonrpc":"2.0","id":1,"result":{}}';
	assert.equal(conversation.said("to-server", call), undefined);
	assert.equal(conversation.said("to-client", asked), undefined);
	assert.match(conversation.said("to-client", empty) ?? "", /the answer to tools\/call/u);
	assert.match(conversation.said("to-server", empty) ?? "", /the answer to roots\/list/u);
	// What was asked before the watching began can be held to the form of JSON-RPC alone.
	assert.equal(conversation.said("to-client", empty), undefined);
});

test("a modern request says itself which revision it is of, and so its answer is", () => {
	const meta =
		'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
		'"io.modelcontextprotocol/clientCapabilities":{}}';
	const conversation = new Conversation();
	const list = `{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{${meta}}}`;
	assert.equal(conversation.said("to-server", list), undefined);
	assert.match(conversation.said("to-client", asked) ?? "", /sends no requests at 2026-07-28/u);
	const answer = '{"jsonrpc":"2.0","id":"a","result":{"tools":[]}}';
	assert.match(conversation.said("to-client", answer) ?? "", /resultType/u);
});

test("what is not JSON is told, and a revision nobody knows is judged as the newest", () => {
	assert.equal(new Conversation("2025-11-25").said("to-client", "{"), "not JSON");
	assert.match(new Conversation("2099-01-01").said("to-client", asked) ?? "", /2026-07-28/u);
});
