import {
	DashboardSessions,
	type KeptSession,
	type SessionOptions,
} from "../../src/admin/dashboard-sessions.ts";
import { LiveEvents } from "../../src/admin/live.ts";
import type { AdminApiOptions } from "../../src/admin/options.ts";
import { principalOf } from "../../src/identity/principal.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { fail, succeed } from "../../src/lib/result.ts";
import { box_key_bytes, SecretBox } from "../../src/secrets/box.ts";

/** Keeps sessions in memory. */
export type MemoryStore = SessionOptions["store"] & { readonly kept: Map<string, KeptSession> };

/** A place for sessions that a test can look into. */
export function memoryStore(): MemoryStore {
	const kept = new Map<string, KeptSession>();
	return {
		kept,
		load: () => Promise.resolve([...kept.values()]),
		change(added, gone) {
			for (const id of gone) kept.delete(id);
			if (added !== undefined) kept.set(added.id, added);
			return Promise.resolve();
		},
	};
}

/** Ana signs in with the password `right`; whoever is called `guesser` has tried too often. */
const anaSignsIn: AdminApiOptions["sign_in"] = {
	ways: () => ({ accounts: true, providers: [{ name: "partner", title: "The Partner" }] }),
	logIn(name, password) {
		if (name === "guesser") {
			const message = "Too many attempts. Try again in 15 min.";
			return Promise.resolve(fail({ status: 429, message, retry_after_s: 900 }));
		}
		if (name === "acme/ana" && password === "right") {
			return Promise.resolve(
				succeed({ kind: "account", tenant: "acme", user: "ana", mark: "1" } as const),
			);
		}
		return Promise.resolve(fail({ status: 401, message: "Name or password is wrong." }));
	},
	begin: () => Promise.resolve(fail({ status: 502, message: "It is unreachable." })),
	finish: () => Promise.resolve(fail({ status: 403, message: "It was not begun here." })),
	leave: () => Promise.resolve({ cookies: [] }),
};

/**
 * What the admin API of a test is made with. A key `key-ROLE` is good for a person with that role;
 * `key-none` is a person without any.
 */
export function adminOptions(
	token: string,
	changes: Partial<AdminApiOptions> = {},
	store: MemoryStore = memoryStore(),
): AdminApiOptions {
	const sessions = new DashboardSessions({
		clock: changes.clock ?? systemClock,
		random: systemRandom,
		box: new SecretBox(systemRandom.bytes(box_key_bytes), systemRandom),
		store,
	});
	return {
		token,
		sessions,
		cookie_name: "moorage_session",
		isSecure: () => false,
		sign_in: anaSignsIn,
		obstacle: () => undefined,
		person: ({ tenant, user }) =>
			principalOf(tenant, user, { roles: ["approver"], via: "session" }),
		identify(credential) {
			const role = /^key-([a-z]+)$/.exec(credential)?.[1];
			if (role === undefined) return Promise.resolve(undefined);
			const roles = role === "none" ? [] : [role, "something-else"];
			return Promise.resolve(principalOf("acme", role, { roles }));
		},
		live: new LiveEvents(),
		dashboardLink: (link) => `http://127.0.0.1:1/#/link/${link}`,
		hasIdentity: () => true,
		clock: systemClock,
		random: systemRandom,
		version: "1.2.3",
		call_bytes_max: 1000,
		signal: new AbortController().signal,
		onDefect: (error) => {
			throw error;
		},
		...changes,
	};
}
