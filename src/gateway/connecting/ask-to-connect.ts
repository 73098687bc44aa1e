import { exchangesIdentity } from "../../config/exchange-form.ts";
import type { ServerPlan } from "../../config/plan.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { publicFault } from "../../protocol/fault.ts";
import { composeNotification, composeRequest } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import { readJsonText } from "../../wire/object.ts";
import { askClient } from "../approving/ask-client.ts";
import { askModes } from "../approving/caller-capabilities.ts";
import { tellProgress } from "../approving/progress.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/** How long a call waits for a person who has said that they go and connect their account. */
export const connect_wait_ms = 120_000;
/** How often a caller hears that its call still waits. */
const progress_every_ms = 5_000;

/** Requests in whose place a modern client may be asked something (2026-07-28). */
const asking_methods = new Set(["tools/call", "prompts/get", "resources/read"]);

/**
 * Sends the person who calls to the page where they connect their account at the server of a call
 * (elicitation, URL mode), and waits for them there. True where that came about, so that the call
 * can be made once more; false where it did not, or their client cannot show a page: then `reply`,
 * which names the page too, is what there is to say.
 */
export async function askToConnect(
	call: Call,
	reply: Reply,
	context: GatewayContext,
): Promise<boolean> {
	const { connections } = context;
	const server = call.target?.server;
	if (reply.kind !== "fault" || reply.fault.code !== "authorization_required") return false;
	if (connections === undefined || server === undefined) return false;
	if (!asking_methods.has(call.method) || !askModes(call.client).has("url")) return false;
	const url = connections.pageFor(server, call.client);
	if (url === undefined) return false;
	const over = new AbortController();
	const signal = AbortSignal.any([call.signal, over.signal]);
	const granted = connections.granted(server, call.client, signal);
	try {
		const id = context.random.uuid();
		const asked = askClient(call, question(server, url, id), signal);
		// A modern client's request has ended with the question: it hears more when it comes back.
		const first = call.client.era === "modern" ? asked : Promise.race([asked, granted]);
		const answer = await first;
		if (answer !== true) {
			if (answer === undefined || answer === false || answer.kind !== "result") return false;
			const { action } = (readJsonText(answer.json.toString()) ?? {}) as { action?: unknown };
			if (action !== "accept" || !(await waitFor(call, granted, url, context))) return false;
		}
		tellCompleted(call, id);
		return true;
	} finally {
		over.abort();
	}
}

/**
 * A request in whose middle nobody is asked anything, such as a list, ends with the page that its
 * person has to go to first (URLElicitationRequiredError, 2025-11-25): the client shows it, and
 * asks again afterwards. Undefined where that is not so, or the client knows no such error: the
 * modern revision has none, and lets lists ask for nothing.
 */
export function pageFirst(
	call: Call,
	reply: Reply,
	{ connections, random }: GatewayContext,
): Reply | undefined {
	const server = call.target?.server;
	if (reply.kind !== "fault" || reply.fault.code !== "authorization_required") return undefined;
	if (connections === undefined || server === undefined) return undefined;
	const { client, method } = call;
	if (client.era !== "legacy" || asking_methods.has(method)) return undefined;
	if (!askModes(client).has("url")) return undefined;
	const url = connections.pageFor(server, client);
	if (url === undefined) return undefined;
	const elicitations = [elicitationFor(server, url, random.uuid(), "Ask again when you have.")];
	const data = { elicitations, ...publicFault(reply.fault) };
	const { message, code: reason } = reply.fault;
	return { ...rpcError(rpc_codes.url_elicitation_required, message, data), reason };
}

/** True once the person has connected; false when they did not in time. */
async function waitFor(
	call: Call,
	granted: Promise<boolean>,
	url: string,
	{ clock }: GatewayContext,
): Promise<boolean> {
	const until_ms = clock.monotonic() + connect_wait_ms;
	for (let step = 1; ; step += 1) {
		const left_ms = until_ms - clock.monotonic();
		if (left_ms <= 0) return false;
		tellProgress(call, step, `Waiting for the account to be connected: ${url}`);
		const nap = Promise.withResolvers<undefined>();
		const timer = clock.after(Math.min(left_ms, progress_every_ms), () => nap.resolve(undefined));
		const outcome = await Promise.race([granted, nap.promise]);
		timer.cancel();
		if (outcome !== undefined) return outcome;
	}
}

/** Only 2025-11-25 has this notification; later clients are told by the reply. */
function tellCompleted({ client, sink }: Call, id: string): void {
	if (client.era !== "legacy") return;
	const params = JSON.stringify({ elicitationId: id });
	sink.notify(composeNotification("notifications/elicitation/complete", params));
}

function question(server: ServerPlan, url: string, id: string): Message {
	const next = "The call goes on when you have.";
	const params = JSON.stringify(elicitationFor(server, url, id, next));
	return composeRequest('"connect"', "elicitation/create", params);
}

/** `next` says what comes of it for whoever asked. */
function elicitationFor(server: ServerPlan, url: string, elicitationId: string, next: string) {
	const what = exchangesIdentity(server)
		? "is used with who you are at your identity provider. Sign in there at your provider."
		: "needs your own account. The page shows what is asked for, and leads to where you log in.";
	return {
		mode: "url",
		elicitationId,
		url,
		message: `The server "${server.name}" ${what} ${next}`,
	};
}
