import { createTransport } from "nodemailer";
import { type Channel, textOf, titleOf } from "./notice.ts";

const timeout_ms = 10_000;

/** Sends a mail over SMTP; over TLS with `smtps:`, and with STARTTLS wherever that is offered. */
export function emailChannel(plan: {
	server: string;
	from: string;
	to: readonly string[];
}): Channel {
	return async (notice) => {
		const server = new URL(plan.server);
		const secure = server.protocol === "smtps:";
		const transport = createTransport({
			host: server.hostname,
			port: server.port === "" ? (secure ? 465 : 587) : Number(server.port),
			secure,
			...(server.username === "" ? {} : { auth: credentialsOf(server) }),
			connectionTimeout: timeout_ms,
			greetingTimeout: timeout_ms,
			socketTimeout: timeout_ms,
			disableFileAccess: true,
			disableUrlAccess: true,
		});
		try {
			await transport.sendMail({
				from: plan.from,
				to: [...plan.to],
				subject: titleOf(notice),
				text: textOf(notice),
				// The same for every try, so that a mail that came twice is shown once.
				messageId: `<${notice.id.replaceAll(/[^A-Za-z0-9.-]/g, ".")}@moorage>`,
			});
			return undefined;
		} catch (error) {
			const { code, responseCode } = error as { code?: string; responseCode?: number };
			return `the mail server refused it (${responseCode ?? code ?? "unknown"})`;
		} finally {
			transport.close();
		}
	};
}

function credentialsOf({ username, password }: URL): { user: string; pass: string } {
	return { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}
