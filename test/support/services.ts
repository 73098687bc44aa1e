import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { OAuthService } from "../../src/config/oauth-service.ts";
import { fixturePath } from "./fixtures.ts";

/** Services as their documentation describes them, in a process of their own. */
export interface Services {
	/** Where a service is, by the name of its preset. */
	readonly origins: Readonly<Record<string, string>>;
	/** How the next token request of a service ends: an error code of its own. */
	breakNext(service: string, code: string): Promise<void>;
	/** The access tokens of a service are good no more. */
	expire(service: string): Promise<void>;
	stop(): Promise<void>;
}

/** Starts them. */
export async function startServices(): Promise<Services> {
	const child = spawn(process.execPath, [fixturePath("services")], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const line = async (): Promise<unknown> => {
		const { value } = await lines.next();
		if (typeof value !== "string") throw new Error("the services have ended");
		return JSON.parse(value);
	};
	const origins = (await line()) as Record<string, string>;
	const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	const ask = (command: string) => {
		child.stdin.write(`${command}\n`);
		return line();
	};
	return {
		origins,
		breakNext: async (service, code) => void (await ask(`break ${service} ${code}`)),
		expire: async (service) => void (await ask(`expire ${service}`)),
		async stop() {
			child.stdin.end();
			await exited;
		},
	};
}

/** A service with all that it is at a place of the test: hosts become the first part of paths. */
export function relocated(service: OAuthService, origin: string): OAuthService {
	const moved = JSON.stringify(service).replaceAll("https://", `${origin}/`);
	return JSON.parse(moved) as OAuthService;
}
