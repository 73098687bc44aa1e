import type * as z from "zod";
import { isLoopbackHost } from "../lib/addresses.ts";
import type { IssuerDraft, SignInDraft } from "./draft-identity.ts";
import { type Located, nodeAt, offsetOf, type Placed, placedMember } from "./located.ts";
import type { ClaimsPlan } from "./plan-claims.ts";
import { default_tenant } from "./principal-names.ts";
import type { Report } from "./report.ts";
import type { IssuerForm, identity_schema } from "./schema-identity.ts";
import { accepted_algorithms } from "./token-algorithms.ts";

type Form = z.output<typeof identity_schema>;
type Path = readonly PropertyKey[];

/** Reads `issuer` and `issuers`; what contradicts itself goes to the report. */
export function readIssuers(form: Form, root: Located, report: Report): IssuerDraft[] {
	const taken = (form.login?.federated ?? []).map(({ name }) => name);
	const reader = new IssuerReader(root, report, taken);
	const drafts = form.issuers.map((issuer, index) =>
		reader.read(issuer, ["identity", "issuers", index]),
	);
	if (form.issuer !== undefined) drafts.unshift(reader.readShort(form.issuer, form.audience));
	else if (form.audience !== undefined) {
		reader.problem(["identity", "audience"], "`audience` has no meaning without `issuer`.", {
			next: "Write it in an entry of `issuers`.",
		});
	}
	if (form.issuer !== undefined && form.issuers.length > 0) {
		const text = "`issuer` is short for a single issuer, and there are `issuers` too.";
		reader.problem(["identity", "issuer"], text, { next: "Write it as an entry of `issuers`." });
	} else reader.checkTogether(drafts);
	return drafts;
}

class IssuerReader {
	readonly #root: Located;
	readonly #report: Report;
	/** Of providers at which people sign in. */
	readonly #names: Set<string>;

	constructor(root: Located, report: Report, names: readonly string[]) {
		this.#root = root;
		this.#report = report;
		this.#names = new Set(names);
	}

	problem(path: Path, message: string, { next }: { readonly next: string }): void {
		this.#report.problem(offsetOf(this.#root, path), message, next);
	}

	readShort(issuer: string, audience: Form["audience"]): IssuerDraft {
		this.#checkAddress(issuer, ["identity", "issuer"]);
		return {
			issuer,
			audiences: audiencesOf(audience ?? []),
			jwks: undefined,
			algorithms: accepted_algorithms,
			token_types: "at+jwt",
			dpop: "accepted",
			introspection: undefined,
			sign_in: undefined,
			claims: {
				tenant: { kind: "fixed", name: default_tenant },
				user: "sub",
				client: undefined,
				roles: undefined,
				role_names: undefined,
				scopes: undefined,
			},
		};
	}

	read(form: IssuerForm, path: Path): IssuerDraft {
		this.#checkAddress(form.issuer, [...path, "issuer"]);
		if (form.jwks !== undefined) this.#checkAddress(form.jwks, [...path, "jwks"]);
		const { introspection: asked } = form;
		if (asked?.url !== undefined) {
			this.#checkAddress(asked.url, [...path, "introspection", "url"]);
		}
		const node = nodeAt(this.#root, [...path, "introspection"]);
		return {
			issuer: form.issuer,
			audiences: audiencesOf(form.audience),
			jwks: form.jwks,
			algorithms: form.algorithms ?? accepted_algorithms,
			token_types: form.types,
			dpop: form.dpop,
			introspection:
				asked === undefined
					? undefined
					: {
							url: asked.url,
							client_id: placedMember(node, "client_id") as Placed,
							client_secret: placedMember(node, "client_secret") as Placed,
						},
			claims: this.#claims(form, path),
			sign_in: this.#signIn(form.sign_in, path),
		};
	}

	/** Names stand in addresses, so that no two ways to sign in may share one. */
	#signIn(form: IssuerForm["sign_in"], path: Path): SignInDraft | undefined {
		if (form === undefined) return undefined;
		const { name, title = name, scopes } = form;
		const own = [...path, "sign_in"];
		if (this.#names.has(name)) {
			const text = `Another provider is called \`${name}\` already.`;
			this.problem([...own, "name"], text, { next: "Give each its own name." });
		}
		this.#names.add(name);
		const node = nodeAt(this.#root, own);
		const client_id = placedMember(node, "client_id") as Placed;
		return { name, title, scopes, client_id, client_secret: placedMember(node, "client_secret") };
	}

	#claims(form: IssuerForm, path: Path): ClaimsPlan {
		const { claims, tenant, tenants, roles: role_names } = form;
		if (claims.tenant !== undefined && tenant !== undefined) {
			this.problem([...path, "tenant"], "There is both `tenant` and `claims.tenant`.", {
				next: "Keep one of them.",
			});
		}
		if (claims.tenant === undefined && tenants.length > 0) {
			this.problem([...path, "tenants"], "`tenants` has no meaning without `claims.tenant`.", {
				next: "Remove it, or name the claim.",
			});
		}
		if (role_names !== undefined && claims.roles === undefined) {
			this.problem([...path, "roles"], "`roles` has no meaning without `claims.roles`.", {
				next: "Name the claim that has them.",
			});
		}
		return {
			tenant:
				claims.tenant === undefined
					? { kind: "fixed", name: tenant ?? default_tenant }
					: { kind: "claim", claim: claims.tenant, allowed: tenants },
			user: claims.user,
			client: claims.client,
			roles: claims.roles,
			role_names,
			scopes: claims.scopes,
		};
	}

	/** What cannot be of more than one issuer. */
	checkTogether(drafts: readonly IssuerDraft[]): void {
		const issuers = new Set<string>();
		let asked = 0;
		for (const [index, { issuer, introspection }] of drafts.entries()) {
			const path = ["identity", "issuers", index];
			if (issuers.has(issuer)) {
				this.problem([...path, "issuer"], "This issuer is listed twice.", {
					next: "Remove one of the two.",
				});
			}
			issuers.add(issuer);
			if (introspection !== undefined) asked += 1;
			if (introspection !== undefined && asked > 1) {
				const text = "Only one issuer can be asked about tokens that nobody else can read.";
				this.problem([...path, "introspection"], text, { next: "Remove it from the others." });
			}
		}
	}

	#checkAddress(text: string, path: Path): void {
		if (isSecureAddress(text)) return;
		this.problem(path, "This is not an https address.", {
			next: "Write for example `https://login.example.com`; http is for this machine only.",
		});
	}
}

/** Whether an address is one that secrets may be sent to: https, or http on this machine. */
export function isSecureAddress(text: string): boolean {
	const url = URL.parse(text);
	const is_secure =
		url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
	return url !== null && is_secure && url.username === "" && url.hash === "";
}

function audiencesOf(audience: string | readonly string[]): string[] {
	const all = typeof audience === "string" ? [audience] : audience;
	return all.map((one) => one.replace(/\/$/, ""));
}
