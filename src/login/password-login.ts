import { PasswordsBusy } from "../identity/passwords.ts";
import type { People } from "../identity/people.ts";
import type { StoredUser } from "../store/people-repository.ts";
import type { Guesses } from "./guesses.ts";

/** What came of a name and a password. */
export type PasswordOutcome =
	| { readonly kind: "in"; readonly user: StoredUser }
	/** The name, or the password: nobody is told which. */
	| { readonly kind: "wrong" }
	/** Too many were wrong before; nothing was looked at. */
	| { readonly kind: "wait"; readonly wait_ms: number }
	/** Too many are being checked right now. */
	| { readonly kind: "busy" };

const name_chars_max = 129;

/** Takes names and passwords, wherever they are typed: whoever guesses is slowed down for all. */
export class PasswordLogin {
	readonly #people: People;
	readonly #guesses: Guesses;

	constructor(people: People, guesses: Guesses) {
		this.#people = people;
		this.#guesses = guesses;
	}

	/** `address` is where the request comes from. */
	async try(name: string, password: string, address: string): Promise<PasswordOutcome> {
		const typed = loginNameOf(name);
		const wait_ms = this.#guesses.waitFor(typed, address);
		if (wait_ms > 0) return { kind: "wait", wait_ms };
		// Counted before it is checked, so that many at once are no way around.
		this.#guesses.onFailed(typed, address);
		try {
			const user = await this.#people.login(typed, password);
			if (user === undefined) return { kind: "wrong" };
			this.#guesses.onSucceeded(typed, address);
			return { kind: "in", user };
		} catch (error) {
			if (error instanceof PasswordsBusy) return { kind: "busy" };
			throw error;
		}
	}
}

/** A name as it was typed into a form. */
export function loginNameOf(typed: string): string {
	return typed.trim().slice(0, name_chars_max);
}

/** What people are told of an outcome that did not let them in. */
export function passwordProblem(outcome: Exclude<PasswordOutcome, { kind: "in" }>): {
	readonly status: 401 | 429 | 503;
	readonly message: string;
	/** Seconds until it is worth trying again. */
	readonly retry_after_s?: number;
} {
	switch (outcome.kind) {
		case "wrong":
			return { status: 401, message: "Name or password is wrong." };
		case "wait": {
			const minutes = Math.ceil(outcome.wait_ms / 60_000);
			const message = `Too many attempts. Try again in ${minutes} min.`;
			return { status: 429, message, retry_after_s: Math.ceil(outcome.wait_ms / 1000) };
		}
		case "busy": {
			const message = "Too many people are logging in. Try again in a moment.";
			return { status: 503, message, retry_after_s: 2 };
		}
	}
}
