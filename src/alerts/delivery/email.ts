import { hash } from "node:crypto";
import { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { isLoopbackHost } from "../../lib/addresses.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Notice, textOf, titleOf } from "./notice.ts";

/** For each answer of the mail server, and for all of a mail. */
const answer_ms_max = 10_000;
const mail_ms_max = 60_000;

/** A mail server and whom it is to tell. */
export interface EmailPlan {
	readonly server: string;
	readonly from: string;
	readonly to: readonly string[];
}

/** How a mail went. */
export interface MailTold {
	/** Why it did not reach everybody; undefined where it did. */
	readonly problem: string | undefined;
	/** Those whom it did not reach. */
	readonly left: readonly string[];
}

/**
 * Sends one mail that tells all the notices, to some of the plan's people or to all of them. Over
 * TLS with `smtps:`, and with STARTTLS wherever that is offered: a password goes to another machine
 * in no other way. Never rejects.
 */
export async function sendMail(
	plan: EmailPlan,
	notices: readonly Notice[],
	clock: Clock,
	to: readonly string[] = plan.to,
): Promise<MailTold> {
	// Loaded by those who send mail: it is most of what alerts take.
	const { createTransport } = await import("nodemailer");
	const socket = new Socket();
	let is_late = false;
	// A server that says a little now and then is never idle.
	const limit = clock.afterIdle(mail_ms_max, () => {
		is_late = true;
		socket.destroy();
	});
	const transport = createTransport({ ...connectionOf(plan.server), socket });
	try {
		const { rejected = [], rejectedErrors } = await transport.sendMail({
			from: plan.from,
			to: [...to],
			...mailOf(notices),
		});
		const left = rejected.map((one: string | { address: string }) =>
			typeof one === "string" ? one : one.address,
		);
		if (left.length === 0) return { problem: undefined, left };
		const code = rejectedErrors?.[0]?.responseCode ?? "unknown";
		const problem = `the mail server refused ${left.length} of ${to.length} receivers (${code})`;
		return { problem, left };
	} catch (error) {
		return { problem: is_late ? late : problemOf(error), left: to };
	} finally {
		limit.cancel();
		transport.close();
		socket.destroy();
	}
}

function connectionOf(address: string) {
	const server = new URL(address);
	const secure = server.protocol === "smtps:";
	const has_login = server.username !== "";
	const host = server.hostname.replace(/^\[(.*)\]$/, "$1");
	return {
		host,
		port: server.port === "" ? (secure ? 465 : 587) : Number(server.port),
		secure,
		// Somebody between could take the offer of STARTTLS away, and read the password.
		requireTLS: has_login && !isLoopbackHost(server.hostname),
		...(has_login ? { auth: credentialsOf(server) } : {}),
		connectionTimeout: answer_ms_max,
		greetingTimeout: answer_ms_max,
		socketTimeout: answer_ms_max,
		dnsTimeout: answer_ms_max,
		disableFileAccess: true,
		disableUrlAccess: true,
	};
}

function credentialsOf({ username, password }: URL): { user: string; pass: string } {
	return { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}

function mailOf(notices: readonly Notice[]) {
	const [first] = notices as readonly [Notice];
	const more = notices.length - 1;
	if (more === 0) {
		const id = first.id.replaceAll(/[^A-Za-z0-9.-]/g, ".");
		return { subject: titleOf(first), text: textOf(first), messageId: `<${id}@moorage>` };
	}
	return {
		subject: `${titleOf(first)} and ${more} more`,
		text: notices.map((one) => `${titleOf(one)}\n${textOf(one)}`).join("\n\n\n"),
		// The same for every try, so that a mail that came twice is shown once.
		messageId: `<${hash("sha256", notices.map(({ id }) => id).join("\n"))}@moorage>`,
	};
}

const late = "the mail server did not answer in time";

/** In words, without the address, which may hold a password. */
function problemOf(error: unknown): string {
	const { code = "unknown", errno, message, responseCode } = error as MailError;
	const why = responseCode ?? (errno === undefined ? code : getSystemErrorName(errno));
	if (code === "ETIMEDOUT" || why === "ETIMEDOUT") return late;
	if (code === "EDNS") return "the name of the mail server is not known";
	if (code === "EAUTH") return `the mail server refused the login (${why})`;
	if (/certificate/i.test(message)) return "the certificate of the mail server is not trusted here";
	if (code === "ETLS")
		return `the mail server has no TLS that works, and a login needs it (${why})`;
	if (responseCode === undefined) return `the mail server could not be reached (${why})`;
	return `the mail server refused it (${why})`;
}

interface MailError extends Error {
	/** That of nodemailer. */
	readonly code?: string;
	/** That of the system, where one of its calls failed. */
	readonly errno?: number;
	/** What the server said. */
	readonly responseCode?: number;
}
