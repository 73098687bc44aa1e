import type { Clock } from "../../../lib/clock.ts";
import { fail, type Result } from "../../../lib/result.ts";
import type { AuthProblem } from "../../faults.ts";
import { OAuthProblem } from "./oauth-problem.ts";

/** How long a call waits for a person before it ends with what to do. */
const consent_wait_ms = 5_000;

/** What follows from a refusal. */
export type AfterRefusal = Result<"retry" | "pass", AuthProblem>;

/** Where a person goes to agree. */
export interface PersonPage {
	readonly url: string;
	/** Whether a call is answered with it at once, instead of waiting for the person a moment. */
	readonly at_once: boolean;
}

/** How a person is asked. */
export interface AttemptOptions {
	readonly clock: Clock;
	/**
	 * Shows the page to a person; rejects once `signal` aborts: nobody may answer it any more.
	 * `outcome` is what comes of the whole, and never rejects.
	 */
	readonly authorize: (
		page: URL,
		state: string,
		signal: AbortSignal,
		outcome: Promise<AfterRefusal>,
	) => Promise<URL>;
	/** Where whoever calls may go and agree. Undefined: the page itself stands in the log alone. */
	readonly pageFor?: ((page: URL) => PersonPage | undefined) | undefined;
}

/**
 * One authorization that is under way, from its first look at the server until there is a token or
 * none. It has a page of its own, and a withdrawal: what was withdrawn asks nobody and keeps
 * nothing, in whatever step that finds it.
 */
export class Attempt {
	/** Never rejects. */
	readonly outcome: Promise<AfterRefusal>;
	readonly #options: AttemptOptions;
	readonly #withdrawal = new AbortController();
	/** The page that waits for a person. */
	#page: URL | undefined;
	/** Another one whose page stands for ours. */
	#followed: Attempt | undefined;
	/** Calls that are answered as soon as there is a page. */
	readonly #until_page = new Set<() => void>();

	/** `work` does everything, and must not reject; it begins at once. */
	constructor(options: AttemptOptions, work: (attempt: Attempt) => Promise<AfterRefusal>) {
		this.#options = options;
		this.outcome = work(this);
	}

	/** Aborts once it is not to be given any more. */
	get signal(): AbortSignal {
		return this.#withdrawal.signal;
	}

	withdraw(): void {
		this.#withdrawal.abort();
	}

	/** Throws an `OAuthProblem` once it was withdrawn. */
	check(): void {
		if (this.signal.aborted) throw withdrawn();
	}

	/** Asks a person; resolves with the address that the page led back to. */
	async ask(page: URL, state: string): Promise<URL> {
		this.check();
		this.#page = page;
		try {
			const answer = this.#options.authorize(page, state, this.signal, this.outcome);
			this.#tellPage();
			const callback = await answer;
			this.check();
			return callback;
		} catch (error) {
			throw this.signal.aborted ? withdrawn() : error;
		} finally {
			if (this.#page === page) this.#page = undefined;
		}
	}

	/** What comes of another one comes of this one, and whoever waits here is told its page. */
	follow(other: Attempt): Promise<AfterRefusal> {
		this.#followed = other;
		const tell = () => this.#tellPage();
		other.#until_page.add(tell);
		this.#tellPage();
		const ended = Promise.withResolvers<AfterRefusal>();
		const withdraw = () => ended.reject(withdrawn());
		this.signal.addEventListener("abort", withdraw, { once: true });
		void other.outcome.then(ended.resolve);
		return ended.promise.finally(() => {
			other.#until_page.delete(tell);
			this.signal.removeEventListener("abort", withdraw);
			this.#followed = undefined;
		});
	}

	/**
	 * What comes of it, or after a moment that a person has to act: it goes on behind a call that
	 * cannot wait for them. `why` is a sentence that comes first.
	 */
	atMost(why: () => string): Promise<AfterRefusal> {
		return new Promise((resolve) => {
			const giveUp = () => {
				end(fail({ code: "authorization_required", advice: `${why()}${this.#whatToDo()}` }));
			};
			const timer = this.#options.clock.afterIdle(consent_wait_ms, giveUp);
			const end = (outcome: AfterRefusal) => {
				timer.cancel();
				this.#until_page.delete(giveUp);
				resolve(outcome);
			};
			this.#until_page.add(giveUp);
			void this.outcome.then(end);
			this.#tellPage();
		});
	}

	/** Whoever may be told the page at once is. */
	#tellPage(): void {
		if (this.#personPage()?.at_once !== true) return;
		for (const tell of [...this.#until_page]) tell();
	}

	#personPage(): PersonPage | undefined {
		const followed = this.#followed;
		if (this.#page === undefined && followed !== undefined) return followed.#personPage();
		return this.#page && this.#options.pageFor?.(this.#page);
	}

	#whatToDo(): string {
		const where = this.#personPage()?.url ?? "the address that stands in Moorage's log";
		return `It needs your authorization: open ${where}, then try again.`;
	}
}

/** Why nothing was given where nobody wants it any more. */
export function withdrawn(): OAuthProblem {
	return new OAuthProblem(
		"It was ended before it was given. Make the call again to be asked anew.",
	);
}
