import type { ContainerSpec } from "../../config/plan.ts";
import type { Random } from "../../lib/random.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { type Fault, makeFault } from "../../protocol/fault.ts";
import type { Engine, ImageDetails } from "./engine.ts";
import { type EngineProblem, engineSentence } from "./engine-problem.ts";

/** Who asks. */
export interface ResolveImageContext {
	readonly server: string;
	readonly random: Random;
	progress(line: string): void;
	readonly signal?: AbortSignal | undefined;
}

/** An image by its bytes. */
export interface ResolvedImage {
	/** Names the image by its digest, so that what runs tomorrow is what runs today. */
	readonly spec: ContainerSpec;
	/** `sha256:...`, as a registry gives it; the image's own id where it came from none. */
	readonly digest: string;
	/** `sha256:...`, over the image's configuration. */
	readonly id: string;
}

/**
 * Finds the bytes behind an image's name. One that this machine has is taken as it is; otherwise
 * it is fetched. This is the only place that ever asks a registry.
 */
export async function resolveImage(
	engine: Engine,
	spec: ContainerSpec,
	context: ResolveImageContext,
): Promise<Result<ResolvedImage, Fault>> {
	const known = await engine.image(spec.image);
	if (known.ok) return succeed(byDigest(spec, known.value));
	if (known.problem.kind !== "refused" || known.problem.status !== 404) {
		return fail(faultOf(known.problem, context));
	}
	context.progress(`fetching the image ${spec.image}`);
	const pulled = await engine.pull(spec.image, context.progress, context.signal);
	if (!pulled.ok) return fail(faultOf(pulled.problem, context, spec.image));
	const fetched = await engine.image(spec.image);
	if (!fetched.ok) return fail(faultOf(fetched.problem, context, spec.image));
	const resolved = byDigest(spec, fetched.value);
	context.progress(`fetched the image ${spec.image}, ${resolved.digest}`);
	return succeed(resolved);
}

function byDigest(spec: ContainerSpec, image: ImageDetails): ResolvedImage {
	const repository = repositoryOf(spec.image);
	const known = image.digests.find((name) => repositoryOf(name) === repository);
	const digest = (known ?? image.digests[0])?.split("@")[1];
	// An id is known wherever the image is; a registry's digest only under the name it came by.
	return { spec: { ...spec, image: known ?? image.id }, digest: digest ?? image.id, id: image.id };
}

/** An image's name without its tag and digest. */
function repositoryOf(name: string): string {
	return name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

function faultOf(problem: EngineProblem, context: ResolveImageContext, pulling?: string): Fault {
	const { server, random } = context;
	const missing = problem.kind === "missing";
	const advice =
		pulling === undefined || missing
			? ""
			: ` Check the name of the image ${pulling}, and that its registry can be reached.`;
	return makeFault(random, {
		code: missing ? "command_missing" : "install_failed",
		message: `The container engine of server "${server}" ${engineSentence(problem)}.${advice}`,
		detail: "detail" in problem ? problem.detail : undefined,
		level: "warn",
		server,
		retry_safe: true,
	});
}
