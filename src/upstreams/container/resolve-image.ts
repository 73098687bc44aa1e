import type { ContainerSpec } from "../../config/plan.ts";
import type { Random } from "../../lib/random.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { type Fault, type FaultCode, makeFault } from "../../protocol/fault.ts";
import type { Engine, ImageDetails } from "./engine.ts";
import { type EngineProblem, engineSentence } from "./engine-problem.ts";
import type { ImageLock, LockedImage } from "./image-lock.ts";

/** Who asks, and with what it is found out. */
export interface ResolveImageContext {
	readonly engine: Pick<Engine, "image" | "pull">;
	readonly lock: ImageLock;
	readonly server: string;
	readonly random: Random;
	/**
	 * True when what is locked is to be found out anew, as for a deploy of a newer version. What is
	 * found is handed back and not locked.
	 */
	readonly update?: boolean | undefined;
	/** What to run in place of what the lock says. */
	readonly locked?: LockedImage | undefined;
	progress(line: string): void;
	readonly signal?: AbortSignal | undefined;
}

/** An image by its bytes. */
export interface ResolvedImage {
	/** Names the image by its id, so that what runs tomorrow is what runs today. */
	readonly spec: ContainerSpec;
	/** `sha256:...`, as a registry gives it; undefined where the image came from none. */
	readonly digest: string | undefined;
	/** `sha256:...`, over the image's configuration, and with it over all of its layers. */
	readonly id: string;
	/** What stands in the lock for it, or would if it was locked. */
	readonly locked: LockedImage;
}

/**
 * Finds the bytes behind an image's name, once: what was found is locked, and later only the same
 * bytes will do. This is the only place that ever asks a registry.
 */
export async function resolveImage(
	spec: ContainerSpec,
	context: ResolveImageContext,
): Promise<Result<ResolvedImage, Fault>> {
	if (context.locked !== undefined) return await resolveLocked(spec, context, context.locked);
	if (context.update === true) return await resolveAnew(spec, context);
	const locked = await context.lock.get(spec.image, context.server);
	if (!locked.ok) return fail(faultOf(context, "install_failed", locked.problem));
	return locked.value === undefined
		? await resolveAnew(spec, context)
		: await resolveLocked(spec, context, locked.value);
}

/** One that this machine has is taken as it is, unless a newer one is asked for. */
async function resolveAnew(
	spec: ContainerSpec,
	context: ResolveImageContext,
): Promise<Result<ResolvedImage, Fault>> {
	const known = await context.engine.image(spec.image);
	if (!known.ok && !isMissing(known.problem)) return fail(engineFault(known.problem, context));
	const made_here = known.ok && known.value.digests.length === 0;
	const take = known.ok && (context.update !== true || made_here);
	const image = take ? known : await fetchImage(spec.image, context);
	if (!image.ok) return image;
	const name = repositoryOf(spec.image);
	const digest = digestOf(image.value, name);
	const { id, platform } = image.value;
	const locked = { name, ...(digest !== undefined && { digest }), ids: { [platform]: id } };
	return await lockAs(spec, context, locked, id);
}

async function resolveLocked(
	spec: ContainerSpec,
	context: ResolveImageContext,
	locked: LockedImage,
): Promise<Result<ResolvedImage, Fault>> {
	const { engine } = context;
	for (const id of Object.values(locked.ids)) {
		const known = await engine.image(id);
		if (known.ok) return succeed(resolvedAs(spec, locked, id));
		if (!isMissing(known.problem)) return fail(engineFault(known.problem, context));
	}
	if (locked.digest === undefined) return fail(await unavailable(spec, context));
	const name = `${locked.name}@${locked.digest}`;
	const known = await engine.image(name);
	const image = known.ok ? known : await fetchImage(name, context);
	if (!image.ok) return image;
	const { id, platform } = image.value;
	const ids = { ...locked.ids, [platform]: id };
	return await lockAs(spec, context, { ...locked, ids }, id);
}

/** An image that no registry has can only be found as it was. */
async function unavailable(spec: ContainerSpec, context: ResolveImageContext): Promise<Fault> {
	const other = await context.engine.image(spec.image);
	const text = other.ok
		? `is not the one that is locked. If you know why and trust it, remove it from moorage.lock`
		: "is locked, was made on a machine and is not on this one. Load it into the engine";
	const code = other.ok ? "package_changed" : "install_failed";
	return faultOf(context, code, `The image ${spec.image} ${text}.`);
}

async function fetchImage(
	name: string,
	context: ResolveImageContext,
): Promise<Result<ImageDetails, Fault>> {
	const { engine, progress, signal } = context;
	progress(`fetching the image ${name}`);
	const pulled = await engine.pull(name, progress, signal);
	const image = pulled.ok ? await engine.image(name) : pulled;
	if (!image.ok) {
		const advice = ` Check the name of the image ${name}, and that its registry can be reached.`;
		return fail(engineFault(image.problem, context, advice));
	}
	progress(`fetched the image ${name}`);
	return image;
}

async function lockAs(
	spec: ContainerSpec,
	context: ResolveImageContext,
	locked: LockedImage,
	id: string,
): Promise<Result<ResolvedImage, Fault>> {
	const later = context.update === true || context.locked !== undefined;
	const problem = later ? undefined : await context.lock.set(spec.image, locked);
	return problem === undefined
		? succeed(resolvedAs(spec, locked, id))
		: fail(faultOf(context, "install_failed", problem));
}

function resolvedAs(spec: ContainerSpec, locked: LockedImage, id: string): ResolvedImage {
	return { spec: { ...spec, image: id }, digest: locked.digest, id, locked };
}

/** The digest under the name that was asked for: another name's may belong to another registry. */
function digestOf({ digests }: ImageDetails, repository: string): string | undefined {
	const known = digests.find((name) => isSameRepository(repositoryOf(name), repository));
	return known?.split("@")[1];
}

/** Podman writes out the registry that Docker takes for granted. */
function isSameRepository(one: string, other: string): boolean {
	const short = (name: string) => name.replace(/^docker\.io\/(?:library\/)?/, "");
	return short(one) === short(other);
}

/** An image's name without its tag and digest. */
function repositoryOf(name: string): string {
	return name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

function isMissing(problem: EngineProblem): boolean {
	return problem.kind === "refused" && problem.status === 404;
}

function engineFault(problem: EngineProblem, context: ResolveImageContext, advice = ""): Fault {
	const missing = problem.kind === "missing";
	const message =
		`The container engine of server "${context.server}" ${engineSentence(problem)}.` +
		(missing ? "" : advice);
	const detail = "detail" in problem ? problem.detail : undefined;
	return faultOf(context, missing ? "command_missing" : "install_failed", message, detail);
}

function faultOf(
	{ server, random }: ResolveImageContext,
	code: FaultCode,
	message: string,
	detail?: string,
): Fault {
	return makeFault(random, { code, message, detail, level: "warn", server, retry_safe: true });
}
