import { fail, type Result, succeed } from "../lib/result.ts";
import { type Reference, type ReferenceKind, referenceText } from "./template.ts";
import type { ValueOwner, ValueProblem } from "./values.ts";

/**
 * References whose value is another one for each tenant or person: `@tenant` and `@user` stand for
 * their ids, as whole parts of the path of a file or of a vault, and at the end of the name of a
 * variable. Without them a reference stands for one value, whoever's instance it is.
 */

/** What may stand in the place of an id. Nothing else can leave its folder, or be two things. */
const id_in_path = /^(?!\.)[\w.@+-]{1,128}$/;
/** Without `_`: the ids of a tenant and a person stand side by side with one between them. */
const id_in_variable = /^[A-Za-z0-9]{1,128}$/;

type Part = "tenant" | "user";

/** Whose ids a reference asks for. */
export function ownersIn({ kind, body }: Reference): ReadonlySet<Part> {
	const parts = new Set<Part>();
	if (kind === "env") {
		for (const [, part] of body.matchAll(/_@(tenant|user)/g)) parts.add(part as Part);
	} else if (kind === "file" || kind === "vault") {
		for (const segment of placeOf(kind, body).path.split("/")) {
			if (segment === "@tenant" || segment === "@user") parts.add(segment.slice(1) as Part);
		}
	}
	return parts;
}

/**
 * The body of a reference for this owner, with their ids in it. Fails where it asks for an id that
 * the owner has not, as an instance of everybody has none, or for one that cannot stand there.
 */
export function bodyFor(reference: Reference, owner: ValueOwner): Result<string, ValueProblem> {
	const parts = ownersIn(reference);
	if (parts.size === 0) return succeed(reference.body);
	const { kind, body } = reference;
	const shown = referenceText(reference);
	for (const part of parts) {
		const id = owner[part];
		if (id === undefined) return fail(nobodysOwn(shown, part));
		const pattern = kind === "env" ? id_in_variable : id_in_path;
		if (!pattern.test(id)) return fail(oddId(shown, part, kind));
	}
	const idOf = (part: string) => owner[part as Part] as string;
	if (kind === "env") return succeed(body.replaceAll(/@(tenant|user)/g, (_, part) => idOf(part)));
	const { path, field } = placeOf(kind, body);
	const segments = path.split("/").map((segment) => {
		return segment === "@tenant" || segment === "@user" ? idOf(segment.slice(1)) : segment;
	});
	return succeed(segments.join("/") + field);
}

/** A path, and what names a field behind it, with its `#`. */
function placeOf(kind: ReferenceKind, body: string): { path: string; field: string } {
	const at = kind === "vault" ? body.lastIndexOf("#") : -1;
	return at < 0 ? { path: body, field: "" } : { path: body.slice(0, at), field: body.slice(at) };
}

function nobodysOwn(shown: string, part: Part): ValueProblem {
	const whose = part === "tenant" ? "tenant" : "person";
	const scopes = part === "tenant" ? "`scope: tenant` or `scope: user`" : "`scope: user`";
	return {
		message: `\`${shown}\` stands for a value of each ${whose}, and this instance is of none.`,
		next: `Give the server ${scopes}.`,
	};
}

function oddId(shown: string, part: Part, kind: ReferenceKind): ValueProblem {
	const signs = kind === "env" ? "letters and digits" : "letters, digits and `._@+-`";
	return {
		message: `The id of the ${part} cannot stand in \`${shown}\`: it has other signs than ${signs}.`,
		next: "Store the value with `moorage secret set`, and refer to it with `${secret:NAME}`.",
	};
}
