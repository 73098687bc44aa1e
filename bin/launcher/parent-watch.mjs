// @ts-check
/**
 * The child's side of hand-over.mjs: notices the end of the launcher, however it came about
 * (SIGKILL included), because then the launcher's end of a pipe closes.
 */
import { Socket } from "node:net";

/** Names the descriptor of that pipe. Removed once read, so that no grandchild inherits it. */
export const parent_variable = "MOORAGE_PARENT_FD";

/**
 * Calls `onGone` once when the launcher that runs this process in its stead is gone. Does not keep
 * the process alive. Does nothing when no launcher waits for this process.
 * @param {NodeJS.ProcessEnv} environment
 * @param {() => void} onGone
 */
export function watchParent(environment, onGone) {
	const descriptor = environment[parent_variable];
	delete environment[parent_variable];
	if (descriptor === undefined || !/^\d{1,6}$/.test(descriptor)) return;
	const pipe = openPipe(Number(descriptor));
	if (pipe === undefined) return;
	let gone = false;
	const end = () => {
		if (gone) return;
		gone = true;
		pipe.destroy();
		onGone();
	};
	// Nothing is ever sent: reading only makes the end of the stream arrive.
	pipe.resume();
	pipe.once("end", end);
	pipe.once("error", end);
	pipe.once("close", end);
	pipe.unref();
}

/**
 * @param {number} descriptor
 * @returns {Socket | undefined} undefined when it is not an open pipe
 */
function openPipe(descriptor) {
	try {
		return new Socket({ fd: descriptor, readable: true, writable: false });
	} catch {
		return undefined;
	}
}
