import type { ReleaseBackend } from "../admin/backend.ts";
import type {
	Changes,
	Deployed,
	DeployRequest,
	Forked,
	Version,
	VersionList,
} from "../admin/contract.ts";
import { type AdminProblem, type AdminProblemCode, problemOf } from "../admin/problem.ts";
import { describeChanges } from "../config/describe-changes.ts";
import { diffPlans } from "../config/diff.ts";
import type { Plan } from "../config/plan.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { checkServerName } from "../config/server-names.ts";
import type { PackageIdentity } from "../hosting/resolved.ts";
import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { ReleaseProblem, Releases } from "../releases/releases.ts";
import type { StoredVersion } from "../store/version-repository.ts";

/** What the versions of servers are administered with. */
export interface ReleaseRooms {
	readonly releases: Releases;
	readonly clock: Clock;
	readonly url: string;
	/** The configuration as it was applied last. */
	readonly config: Plan;
	/** Reads the configuration file as it is now, or as it would be; applies nothing. */
	load(text?: string): Promise<Result<Plan, readonly ConfigProblem[]>>;
}

/** What the admin API can see and do with versions, done on the running house. */
export class DaemonReleaseBackend implements ReleaseBackend {
	readonly #rooms: ReleaseRooms;

	constructor(rooms: ReleaseRooms) {
		this.#rooms = rooms;
	}

	versions(server: string): VersionList | undefined {
		const { releases } = this.#rooms;
		if (!releases.servers.some(({ name }) => name === server)) return undefined;
		const held_at = releases.versions.pin(server)?.number;
		const rollout = releases.rollout(server);
		return {
			server,
			versions: releases.versions.of(server).map((version, index, all) => {
				// A version that started at once was not looked at beforehand.
				const now = version.state === "active" ? releases.identity(server) : undefined;
				const differences = this.#differences(all[index - 1], version);
				return { ...describeVersion(version, now), ...(differences && { differences }) };
			}),
			...(held_at === undefined ? {} : { held_at }),
			...(rollout === undefined
				? {}
				: { rollout: { version: rollout.number, state: rollout.state } }),
			forks: releases.forks.filter((fork) => fork.server === server).map(({ name }) => name),
		};
	}

	/** Undefined for a first version, and where one of the two cannot be read any more. */
	#differences(before: StoredVersion | undefined, version: StoredVersion): string[] | undefined {
		const { versions } = this.#rooms.releases;
		const old_plan = before === undefined ? undefined : versions.planOf(before);
		const plan = versions.planOf(version);
		return old_plan && plan ? describeChanges(old_plan, plan) : undefined;
	}

	async deploy(server: string, request: DeployRequest): Promise<Result<Deployed, AdminProblem>> {
		return answerOf(await this.#rooms.releases.deploy(server, request), server);
	}

	async rollback(
		server: string,
		version: number | undefined,
	): Promise<Result<Deployed, AdminProblem>> {
		return answerOf(await this.#rooms.releases.rollback(server, version), server);
	}

	async promote(server: string): Promise<Result<Deployed, AdminProblem>> {
		return answerOf(await this.#rooms.releases.promote(server), server);
	}

	async fork(server: string, name: string | undefined): Promise<Result<Forked, AdminProblem>> {
		const { releases, clock, url } = this.#rooms;
		const wrong = name === undefined ? undefined : checkServerName(name);
		if (wrong !== undefined) return fail(problemOf("invalid_request", wrong.message));
		const began_ms = clock.monotonic();
		const forked = await releases.fork(server, name);
		if (!forked.ok) return answerOf(forked, server);
		const fork = forked.value;
		const copied_ms = Math.round(clock.monotonic() - began_ms);
		return succeed({
			name: fork.name,
			server: fork.server,
			url: `${url}/${fork.name}/mcp`,
			copied_ms,
		});
	}

	async plan(text?: string): Promise<Result<Changes, AdminProblem>> {
		const { releases, config } = this.#rooms;
		const loaded = await this.#rooms.load(text);
		if (!loaded.ok) {
			const message = "The configuration has mistakes; what runs is left alone.";
			return fail({ ...problemOf("config_refused", message), config: loaded.problem });
		}
		const wanted = loaded.value;
		const { added, removed, changed, settings } = diffPlans(config, wanted);
		const planOf = (plan: Plan, name: string) => plan.servers.find((one) => one.name === name);
		return succeed({
			added,
			removed,
			changed: changed.map((server) => {
				const [before, after] = [planOf(config, server), planOf(wanted, server)];
				const differences = before && after ? describeChanges(before, after) : [];
				return { server, differences };
			}),
			settings,
			held: wanted.servers.flatMap(({ name }) => {
				const pin = releases.versions.pin(name);
				return pin === undefined ? [] : [{ server: name, version: pin.number }];
			}),
			forks: releases.forks.map(({ name }) => name),
			warnings: [
				...wanted.warnings,
				// What would change is tried anyway.
				...releases.givenUp
					.filter(({ server }) => ![...changed, ...removed].includes(server))
					.map(tellGivenUp),
			],
		});
	}
}

/** That what runs is not what the configuration asks for, though applying it changes nothing. */
function tellGivenUp({ server, number, reason }: StoredVersion): string {
	return (
		`${server}: version ${number}, which the configuration asks for, was given up, and the one ` +
		`before runs on: ${reason ?? "it failed."} \`moorage deploy ${server}\` tries it again.`
	);
}

function describeVersion(version: StoredVersion, now: PackageIdentity | undefined): Version {
	const { number, state, source, created_at_ms, reason, identity, changes } = version;
	const found = identity === undefined ? now : (JSON.parse(identity) as PackageIdentity);
	return {
		number,
		state,
		source,
		created_at_ms,
		...(reason === undefined ? {} : { reason }),
		...(found === undefined
			? {}
			: {
					package: {
						name: found.name,
						digest: found.digest,
						...(found.version === undefined ? {} : { version: found.version }),
					},
				}),
		changes: [...changes],
	};
}

const problem_codes: Readonly<Record<ReleaseProblem["code"], AdminProblemCode>> = {
	server_unknown: "server_unknown",
	version_unknown: "version_unknown",
	server_exists: "server_exists",
	nothing_to_do: "nothing_to_do",
	failed: "release_failed",
};

/** What became of something done with releases, as the admin API tells it. */
export function answerOf<Value>(
	result: Result<Value, ReleaseProblem>,
	server: string,
): Result<Value, AdminProblem> {
	if (result.ok) return result;
	const problem = problemOf(problem_codes[result.problem.code], result.problem.message);
	return fail({ ...problem, next: problem.next.replace("NAME", server) });
}
