import {
	type KillKind,
	type KillTarget,
	kill_kinds,
	targetProblem,
} from "../policy/kill-target.ts";
import { usageFailure } from "./failure.ts";

/** The target that `moorage kill` and `moorage unkill` are told, by words or `--all`. */
export function targetOf(
	args: { readonly what: string | undefined; readonly name: string | undefined },
	all: boolean,
): KillTarget {
	if (all) {
		if (args.what === undefined) return { kind: "all", name: undefined };
		throw usageFailure("`--all` stands alone.", "Leave either `--all` or the name away.");
	}
	const kind = kill_kinds.find((one) => one === args.what && one !== "all");
	if (kind === undefined) {
		const kinds = kill_kinds.filter((one): one is KillKind => one !== "all").join(", ");
		throw usageFailure("Say what: it is missing, or not a kind of thing.", `One of ${kinds}.`);
	}
	const target = { kind, name: args.name };
	const problem = targetProblem(target);
	if (problem === undefined) return target;
	throw usageFailure(problem, `For example: ${examples[kind]}`);
}

const examples: Readonly<Record<KillKind, string>> = {
	tool: 'moorage kill tool github__delete_repository --reason "..."',
	server: 'moorage kill server github --reason "..."',
	client: 'moorage kill client key:laptop --reason "..."',
	user: 'moorage kill user acme/ana --reason "..."',
	tenant: 'moorage kill tenant acme --reason "..."',
	writes: 'moorage kill writes --reason "..."',
	all: 'moorage kill --all --reason "..."',
};

/** How `kill` and `unkill` are told what. */
export const target_args = {
	what: {
		description: `what kind of thing: ${kill_kinds.filter((kind) => kind !== "all").join(", ")}`,
		kind: "optional",
	},
	name: {
		description: "which one; for `writes` a server, or nothing for all of them",
		kind: "optional",
	},
} as const;
