/**
 * Tells a chat of calls that wait for a person, and takes what people click there back as signed
 * decisions. One file for each chat, no packages:
 *
 *     node relay.mjs slack
 *     node relay.mjs discord
 *     node relay.mjs teams
 *
 * HOOK_SECRET is the secret of the webhook in moorage.yaml, HOOK_NAME its name (`chat`),
 * MOORAGE_URL the gateway (http://127.0.0.1:8642), PORT where this listens (8700), and PEOPLE the
 * file that says which person each user of the chat is (people.json). What a chat needs beside
 * stands in its own file.
 */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const { HOOK_SECRET = "", HOOK_NAME = "chat", PEOPLE = "people.json", PORT = "8700" } = process.env;
const decisions = new URL(
	`/approvals/webhooks/${HOOK_NAME}`,
	process.env.MOORAGE_URL ?? "http://127.0.0.1:8642",
);
const body_bytes_max = 1024 * 1024;
const apart_s_max = 300;
/** Chats want an answer within three seconds of a click. */
const decision_ms_max = 2_500;
const told_max = 1_000;

const [, , chosen = ""] = process.argv;
if (!["slack", "discord", "teams"].includes(chosen)) throw new Error("slack, discord or teams?");
if (HOOK_SECRET === "") throw new Error("Set HOOK_SECRET to what the gateway has.");
const chat = await import(`./${chosen}.mjs`);
const people = new Map(Object.entries(JSON.parse(await readFile(PEOPLE, "utf8"))));

const key = HOOK_SECRET.startsWith("whsec_")
	? Buffer.from(HOOK_SECRET.slice("whsec_".length), "base64")
	: Buffer.from(HOOK_SECRET);

function signatureOf(id, timestamp, body) {
	const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
	return `v1,${mac.digest("base64")}`;
}

/** Whether a message is from Moorage, and from now. */
function isFromMoorage(headers, body) {
	const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": given } = headers;
	if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= apart_s_max)) return false;
	const expected = Buffer.from(signatureOf(id, timestamp, body));
	return String(given)
		.split(" ")
		.map((one) => Buffer.from(one))
		.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

/** Ids of messages that the chat has: Moorage repeats one whose answer was lost. */
const told = new Set();

async function takeNews(headers, body) {
	if (!isFromMoorage(headers, body)) return { status: 401 };
	const id = headers["webhook-id"];
	if (!told.has(id)) {
		await chat.tell(JSON.parse(body));
		told.add(id);
		if (told.size > told_max) told.delete(told.values().next().value);
	}
	return { status: 204 };
}

/**
 * Hands a decision to Moorage. `user` is who clicked, by the chat's own id, and `arguments_hash`
 * stands for the arguments that they have seen. Resolves with a sentence, and with whether there is
 * nothing more to decide.
 */
async function decide({ user, approval, arguments_hash, verdict, reason }) {
	const person = people.get(user);
	if (person === undefined) return { is_over: false, text: "You may not decide here." };
	const type = "approval.decision";
	const body = JSON.stringify({ type, approval, arguments_hash, verdict, reason, person });
	const id = randomUUID();
	const timestamp = String(Math.floor(Date.now() / 1000));
	try {
		const answer = await fetch(decisions, {
			method: "POST",
			headers: {
				"content-type": "application/json",
				"webhook-id": id,
				"webhook-timestamp": timestamp,
				"webhook-signature": signatureOf(id, timestamp, body),
			},
			body,
			signal: AbortSignal.timeout(decision_ms_max),
		});
		const { state, message } = await answer.json();
		if (!answer.ok) return { is_over: false, text: message };
		const did = verdict === "approve" ? "agreed" : "refused";
		return { is_over: state !== "pending", text: `${person} ${did}. The call is ${state}.` };
	} catch {
		return { is_over: false, text: "Moorage did not answer. Try again." };
	}
}

async function readBody(request) {
	const chunks = [];
	let bytes = 0;
	for await (const chunk of request) {
		bytes += chunk.length;
		if (bytes > body_bytes_max) throw new Error("This is too long.");
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

async function serve(request, response) {
	try {
		const body = await readBody(request);
		const { method, headers } = request;
		const [path] = request.url.split("?");
		const place = method === "POST" ? path : undefined;
		const { status, json } =
			place === "/moorage"
				? await takeNews(headers, body)
				: place === chat.path
					? await chat.answer(headers, body, decide)
					: { status: 404 };
		response.writeHead(status, json === undefined ? {} : { "content-type": "application/json" });
		response.end(json === undefined ? undefined : JSON.stringify(json));
	} catch (error) {
		// Moorage tries again what the chat did not take.
		console.error(error.message);
		response.writeHead(502, { connection: "close" }).end();
	}
}

const server = createServer((request, response) => void serve(request, response));
server.listen(Number(PORT), "127.0.0.1", () => {
	console.log(`Listening at http://127.0.0.1:${server.address().port}/moorage`);
});
