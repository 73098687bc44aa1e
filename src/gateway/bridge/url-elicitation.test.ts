import assert from "node:assert/strict";
import { test } from "node:test";
import { indexMessage } from "../../wire/index-message.ts";
import { canElicitUrl, urlQuestions } from "./url-elicitation.ts";

function questionsOf(error: string): string | undefined {
	const indexed = indexMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"error":${error}}`));
	assert.ok(indexed.ok, error);
	return urlQuestions(indexed.value);
}

test("the URLs of an error become questions, with everything but the legacy members kept", () => {
	const first =
		'{"mode":"url","elicitationId":"e1","url":"https://a.example/\\u0061","message":"Sign in","x":1.0}';
	const second = '{"url":"https://b.example","message":"And here"}';
	const data = `{"elicitations":[${first},${second}],"more":true}`;
	const questions = questionsOf(`{"code":-32042,"message":"visit","data":${data}}`);
	assert.equal(
		questions,
		'{"q1":{"method":"elicitation/create","params":{"mode":"url",' +
			'"url":"https://a.example/\\u0061","message":"Sign in","x":1.0}},' +
			'"q2":{"method":"elicitation/create","params":{"mode":"url",' +
			'"url":"https://b.example","message":"And here"}}}',
	);
});

test("an item without a URL is left out, and an error without any is no question", () => {
	const some = '{"elicitations":[{"message":"x"},7,{"url":7},{"url":"https://a.example"}]}';
	const questions = questionsOf(`{"code":-32042,"message":"m","data":${some}}`) ?? "{}";
	assert.deepEqual(Object.keys(JSON.parse(questions) as object), ["q4"]);
	for (const data of ['{"elicitations":[]}', '{"elicitations":7}', "{}", "[]", "null", '"x"']) {
		assert.equal(questionsOf(`{"code":-32042,"message":"m","data":${data}}`), undefined, data);
	}
	assert.equal(questionsOf('{"code":-32042,"message":"m"}'), undefined);
});

test("another error and a result are no questions", () => {
	const data = '{"elicitations":[{"url":"https://a.example"}]}';
	assert.equal(questionsOf(`{"code":-32043,"message":"m","data":${data}}`), undefined);
	assert.equal(questionsOf(`{"code":"-32042","message":"m","data":${data}}`), undefined);
	const result = indexMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}'));
	assert.ok(result.ok);
	assert.equal(urlQuestions(result.value), undefined);
});

test("a client can show URLs when it says so, and only then", () => {
	assert.ok(canElicitUrl('{"elicitation":{"url":{}}}'));
	assert.ok(canElicitUrl('{"elicit\\u0061tion":{"url":{}}}'));
	for (const declared of ["{}", '{"elicitation":{}}', '{"elicitation":{"form":{}}}']) {
		assert.ok(!canElicitUrl(declared), declared);
	}
	for (const url of ["true", "null", '"yes"']) {
		assert.ok(!canElicitUrl(`{"elicitation":{"url":${url}}}`), url);
	}
});
