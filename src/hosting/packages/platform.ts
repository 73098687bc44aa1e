import { arch, platform } from "node:os";

/** The machine's kind in one word: `linux-x64`. */
export function platformName(): string {
	return `${platform()}-${arch()}`;
}
