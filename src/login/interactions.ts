import { createHmac } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Interaction, Provider } from "oidc-provider";
import type { FederatedPlan, LoginPlan } from "../config/plan-login.ts";
import type { People } from "../identity/people.ts";
import { isSameText } from "../lib/same-text.ts";
import type { StoredUser } from "../store/people-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { StoredClient } from "./adapter.ts";
import { admit, type Federated } from "./federated.ts";
import type { IdentityTokens } from "./identity-tokens.ts";
import { consentPage, type FormParts, loginPage, messagePage, sendPage } from "./pages.ts";
import { loginNameOf, type PasswordLogin, passwordProblem } from "./password-login.ts";
import { login_paths } from "./provider.ts";
import { readForm } from "./read-form.ts";
import type { Records } from "./records.ts";

/** What interactions with a person need. */
export interface InteractionOptions {
	readonly plan: LoginPlan;
	readonly people: People;
	readonly passwords: PasswordLogin;
	readonly federated: Federated<FederatedPlan>;
	/** Keeps what people sign in with at a provider. */
	readonly identities?: Pick<IdentityTokens, "keep"> | undefined;
	readonly log: Log;
	readonly clients: Records<StoredClient>;
	/** Sign the forms, the newest first; those of an older one are taken as well. */
	readonly form_keys: readonly string[];
	/** The address a request comes from. */
	readonly addressOf: (request: IncomingMessage) => string;
}

const path_form = new RegExp(
	`^${login_paths.interaction}/([A-Za-z0-9_-]{1,64})(?:/(login|consent|abort|callback|federated/([a-z0-9-]{1,32})))?$`,
);

/** The parts of an interaction that a step needs. */
interface Step {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	readonly provider: Provider;
	readonly interaction: Interaction;
	readonly url: URL;
	readonly form: FormParts;
}

/** The pages on which a person logs in and consents, below `/oauth/interaction/`. */
export class Interactions {
	readonly #options: InteractionOptions;

	constructor(options: InteractionOptions) {
		this.#options = options;
	}

	/** Answers a request; false where its path is none of these pages. */
	async serve(
		provider: Provider,
		request: IncomingMessage,
		response: ServerResponse,
	): Promise<boolean> {
		const url = new URL(request.url ?? "/", provider.issuer);
		const match = path_form.exec(url.pathname);
		if (match === null) return false;
		const [, uid = "", part = "", provider_name = ""] = match;
		const interaction = await provider.interactionDetails(request, response).catch(() => undefined);
		// The cookie is bound to this browser and to this one interaction.
		if (interaction === undefined || interaction.uid !== uid) {
			sendPage(response, gone, 400);
			return true;
		}
		const action = `${login_paths.interaction}/${uid}`;
		const form = { action, token: this.#formTokens(uid)[0] ?? "" };
		const step: Step = { request, response, provider, interaction, url, form };
		const method = `${request.method} ${part.split("/", 1)[0]}`;
		if (method === "GET ") await this.#show(step);
		else if (method === "GET federated") await this.#toFederated(step, provider_name);
		else if (method === "GET callback") await this.#fromFederated(step);
		else if (method === "POST login") await this.#posted(step, (body) => this.#logIn(step, body));
		else if (method === "POST consent") await this.#posted(step, () => this.#consent(step));
		else if (method === "POST abort") await this.#posted(step, () => this.#abort(step));
		else sendPage(response, gone, 405);
		return true;
	}

	async #show(step: Step): Promise<void> {
		const { interaction, response } = step;
		if (interaction.prompt.name === "login") await this.#showLogin(step);
		else if (interaction.prompt.name === "consent") await this.#showConsent(step);
		else sendPage(response, gone, 400);
	}

	async #showLogin(
		{ interaction, response, provider, form }: Step,
		said: { readonly name?: string; readonly problem?: string } = {},
		status = 200,
		headers: Readonly<Record<string, string>> = {},
	): Promise<void> {
		const { plan, federated } = this.#options;
		const ways = { accounts: plan.accounts, federated: federated.offered };
		const client = await provider.Client.find(text(interaction.params["client_id"]));
		const name = client?.clientName ?? text(interaction.params["client_id"]);
		const redirect_uri = text(interaction.params["redirect_uri"]);
		sendPage(response, loginPage(form, ways, name, redirect_uri, said), status, headers);
	}

	async #showConsent({ interaction, response, provider, form }: Step): Promise<void> {
		const client_id = text(interaction.params["client_id"]);
		const client = await provider.Client.find(client_id);
		if (client === undefined) return sendPage(response, gone, 400);
		const { oidc, resources } = wantedOf(interaction);
		const scopes = new Set([...oidc, ...Object.values(resources).flat()]);
		sendPage(
			response,
			consentPage(form, {
				client_id,
				client_name: client.clientName ?? client_id,
				client_uri: client.clientUri,
				client_origin: await this.#originOf(client_id),
				account: interaction.session?.accountId ?? "",
				scopes: [...scopes],
				resources: Object.keys(resources),
				redirect_uri: text(interaction.params["redirect_uri"]),
			}),
		);
		return undefined;
	}

	async #originOf(client_id: string): Promise<string> {
		const known = await this.#options.clients.find(client_id);
		if (known?.body.source === "admin") return "registered by whoever runs this gateway";
		if (known?.body.source === "dynamic") return "registered itself; its name is its own claim";
		const host = URL.parse(client_id)?.host ?? client_id;
		return `vouched for by ${host}`;
	}

	/** Forms come from our own pages only, with the token that the page was given. */
	async #posted(step: Step, act: (body: URLSearchParams) => Promise<void>): Promise<void> {
		const body = await readForm(step.request);
		if (body === undefined) return sendPage(step.response, too_much, 413);
		const same = this.#isOurs(step, body.get("token"));
		const site = step.request.headers["sec-fetch-site"];
		if (!same || (site !== undefined && site !== "same-origin")) {
			return sendPage(step.response, foreign, 403);
		}
		return act(body);
	}

	async #logIn(step: Step, body: URLSearchParams): Promise<void> {
		const { plan, passwords, addressOf } = this.#options;
		if (!plan.accounts || step.interaction.prompt.name !== "login") {
			return sendPage(step.response, gone, 400);
		}
		const name = loginNameOf(body.get("name") ?? "");
		const outcome = await passwords.try(name, body.get("password") ?? "", addressOf(step.request));
		if (outcome.kind !== "in") {
			const { status, message, retry_after_s } = passwordProblem(outcome);
			const headers = retry_after_s === undefined ? {} : { "retry-after": String(retry_after_s) };
			return this.#showLogin(step, { name, problem: message }, status, headers);
		}
		return this.#loggedIn(step, outcome.user, "pwd");
	}

	async #loggedIn(step: Step, { tenant, user }: StoredUser, way: string): Promise<void> {
		const login = { accountId: `${tenant}/${user}`, amr: [way], remember: true };
		await step.provider.interactionFinished(
			step.request,
			step.response,
			{ login },
			{ mergeWithLastSubmission: false },
		);
	}

	async #consent({ interaction, provider, request, response }: Step): Promise<void> {
		const { prompt, params, session, grantId } = interaction;
		if (prompt.name !== "consent" || session?.accountId === undefined) {
			return sendPage(response, gone, 400);
		}
		const clientId = text(params["client_id"]);
		const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
		const grant = known ?? new provider.Grant({ accountId: session.accountId, clientId });
		const { oidc, resources } = wantedOf(interaction);
		if (oidc.length > 0) grant.addOIDCScope(oidc.join(" "));
		for (const [resource, scopes] of Object.entries(resources)) {
			grant.addResourceScope(resource, scopes.join(" "));
		}
		const consent = { grantId: await grant.save() };
		await provider.interactionFinished(
			request,
			response,
			{ consent },
			{ mergeWithLastSubmission: true },
		);
		return undefined;
	}

	async #abort({ provider, request, response }: Step): Promise<void> {
		await provider.interactionFinished(
			request,
			response,
			{ error: "access_denied", error_description: "the person did not allow it" },
			{ mergeWithLastSubmission: false },
		);
	}

	async #toFederated(step: Step, name: string): Promise<void> {
		const { federated } = this.#options;
		if (!this.#isOurs(step, step.url.searchParams.get("token"))) {
			return sendPage(step.response, foreign, 403);
		}
		const page = await federated.begin(name, step.interaction.uid);
		if (!page.ok && page.problem === "full") {
			return this.#showLogin(step, { problem: too_many }, 503, { "retry-after": "60" });
		}
		if (!page.ok) return this.#showLogin(step, { problem: unreachable }, 502);
		step.response.writeHead(303, { location: page.value.href, "cache-control": "no-store" });
		step.response.end();
		return undefined;
	}

	async #fromFederated(step: Step): Promise<void> {
		if (step.interaction.prompt.name !== "login") return sendPage(step.response, gone, 400);
		const { federated, identities, people, log } = this.#options;
		const vouched = await federated.finish(step.url, step.interaction.uid);
		if (!vouched.ok) return this.#showLogin(step, { problem: vouched.problem }, 403);
		const { claims, provider, tokens } = vouched.value;
		const admitted = await admit(claims, provider, people, log);
		if (!admitted.ok) return this.#showLogin(step, { problem: admitted.problem }, 403);
		const { tenant, user } = admitted.value;
		await identities?.keep(`${tenant}/${user}`, provider, tokens);
		return this.#loggedIn(step, admitted.value, "fed");
	}

	/** Whether a form or link is of a page that this browser was given for this interaction. */
	#isOurs({ interaction }: Step, token: string | null): boolean {
		return this.#formTokens(interaction.uid).some((ours) => isSameText(token ?? "", ours));
	}

	#formTokens(uid: string): string[] {
		return this.#options.form_keys.map((key) =>
			createHmac("sha256", key).update(`form:${uid}`).digest("base64url"),
		);
	}
}

/** The scopes that a person is asked for: those without a resource, and those of each. */
function wantedOf({ prompt, params }: Interaction): {
	readonly oidc: readonly string[];
	readonly resources: Readonly<Record<string, readonly string[]>>;
} {
	const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details as {
		missingOIDCScope?: string[];
		missingResourceScopes?: Record<string, string[]>;
	};
	if (missingOIDCScope.length > 0 || Object.keys(missingResourceScopes).length > 0) {
		return { oidc: missingOIDCScope, resources: missingResourceScopes };
	}
	// Nothing new, but the client has to be confirmed: what it asks for is shown again.
	const scopes = text(params["scope"])
		.split(" ")
		.filter((scope) => scope !== "");
	const wanted = params["resource"];
	const list = Array.isArray(wanted) ? wanted : [wanted];
	const named = list.filter((one): one is string => typeof one === "string");
	return { oidc: [], resources: Object.fromEntries(named.map((one) => [one, scopes])) };
}

function text(value: unknown): string {
	return typeof value === "string" ? value : "";
}

const start_anew = "Go back to the program you came from and start again.";
const gone = messagePage("This page is over", "It was used already, or took too long.", start_anew);
const foreign = messagePage(
	"This form is not ours",
	"It was sent from another page, or from an old one. Nothing was done.",
	start_anew,
);
const too_much = messagePage(
	"This is too much",
	"The form is larger than any of ours.",
	start_anew,
);
const too_many = "Too many people are logging in. Try again in a minute.";
const unreachable = "The provider cannot be reached. Try again in a moment.";
