/** Why an engine did not do what it was asked. */
export type EngineProblem =
	/** Nothing answers at any of the addresses that were tried. */
	| { readonly kind: "missing"; readonly tried: readonly string[]; readonly detail: string }
	/** The connection broke, or there was no answer in time. */
	| { readonly kind: "broken"; readonly detail: string }
	/** It answered that it will not; `message` is its own sentence. */
	| { readonly kind: "refused"; readonly status: number; readonly message: string };

/** Longest sentence of an engine that is passed on. */
const message_chars_max = 500;

/** A problem in words that continue "the container engine ...". */
export function engineSentence(problem: EngineProblem): string {
	switch (problem.kind) {
		case "missing":
			return missingSentence(problem.tried);
		case "broken":
			return `did not answer (${problem.detail})`;
		case "refused":
			return `refused: ${shortened(problem.message)}`;
	}
}

/** What to do about a refusal: a sentence behind a space, or nothing where that is not known. */
export function engineAdvice(problem: EngineProblem): string {
	if (problem.kind !== "refused") return "";
	const { message, status } = problem;
	if (/container-init binary not found/i.test(message)) {
		return " Install the small init that Podman wants (apt-get install catatonit).";
	}
	if (/unknown (?:or invalid )?runtime|runtime .*not found/i.test(message)) {
		return " Install that runtime and tell the engine of it, or leave `runtime` out.";
	}
	return status === 404 ? " Run moorage restart to have its image resolved again." : "";
}

function shortened(text: string): string {
	return text.length > message_chars_max ? `${text.slice(0, message_chars_max)}…` : text;
}

/** Where an engine was looked for, and what can be done. */
function missingSentence(tried: readonly string[]): string {
	const where = tried.length === 0 ? "the address in DOCKER_HOST, which is no address" : "";
	return (
		`was not found: nothing answers at ${where || tried.join(", ")}. Start Docker or Podman ` +
		"(systemctl start docker, or systemctl --user start podman.socket), let this user use " +
		"its socket, or set DOCKER_HOST to where it listens"
	);
}
