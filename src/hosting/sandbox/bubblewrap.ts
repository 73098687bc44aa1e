import type { Mount } from "./mounts.ts";
import { isWithin } from "./protection.ts";
import type { BoundSettings, Setting } from "./settings-copy.ts";

/** Where everything lies that a sandbox takes from the machine. */
export interface SystemLayout {
	/** Folders bound read-only. */
	readonly folders: readonly string[];
	/** Symbolic links to them: `/bin` to `usr/bin` on a machine of today. */
	readonly links: readonly (readonly [path: string, target: string])[];
	/** Parts of `/etc`, each with the real file it leads to. */
	readonly settings: readonly Setting[];
	/** Files with the one user and group that there are inside. */
	readonly passwd: string;
	readonly group: string;
}

/** Who a server is inside. */
export interface InnerUser {
	readonly uid: number;
	readonly gid: number;
}

/** A sandbox as bubblewrap is told of it. */
export interface BubblewrapPlan {
	readonly layout: SystemLayout;
	/** The settings in one folder; undefined where each has to be bound by itself. */
	readonly settings: BoundSettings | undefined;
	readonly user: InnerUser;
	readonly mounts: readonly Mount[];
	/** Files bound read-only under another path. */
	readonly binds: readonly { readonly from: string; readonly to: string }[];
	/** Absolute folder that the program starts in. */
	readonly cwd: string;
	/** Also to be found as `/tmp`; undefined makes an empty one. */
	readonly temp: string | undefined;
	/** Whether it shares the machine's network. */
	readonly open_network: boolean;
	/** Number of the descriptor with the system call filter. */
	readonly filter_fd: number | undefined;
}

/**
 * Arguments of `bwrap` up to the program. The order counts: what comes later lies over what came
 * before. The root is closed last, when every place in it has been made.
 */
export function bubblewrapArguments(plan: BubblewrapPlan): string[] {
	const { layout, user, mounts, binds, cwd, temp, open_network, filter_fd } = plan;
	return [
		"--unshare-all",
		...(open_network ? ["--share-net"] : []),
		"--die-with-parent",
		"--new-session",
		"--hostname",
		"sandbox",
		"--uid",
		String(user.uid),
		"--gid",
		String(user.gid),
		"--cap-drop",
		"ALL",
		...layout.folders.flatMap((folder) => ["--ro-bind", folder, folder]),
		...layout.links.flatMap(([path, target]) => ["--symlink", target, path]),
		...settingsOf(plan).flatMap(([path, real]) => ["--ro-bind", real, path]),
		...["--proc", "/proc", "--dev", "/dev"],
		...(temp === undefined ? ["--tmpfs", "/tmp"] : ["--bind", temp, "/tmp"]),
		...["--dir", "/run", "--dir", "/var", "--symlink", "../tmp", "/var/tmp"],
		...mounts.flatMap(mountArguments),
		...binds.flatMap(({ from, to }) => ["--ro-bind", from, to]),
		...["--dir", cwd, "--chdir", cwd],
		// Closed last, when every place to mount has been made.
		...mounts.filter(isHiddenFolder).flatMap(({ path }) => ["--remount-ro", path]),
		// Settings of the kernel belong to the user that the gateway is; root's could be written.
		...["--remount-ro", "/proc", "--remount-ro", "/"],
		...(filter_fd === undefined ? [] : ["--seccomp", String(filter_fd)]),
		"--",
	];
}

/**
 * What is bound of `/etc`. Without a network the machine's name servers are of no use, and are
 * nobody's business: programs that look names up themselves then ask the sandbox, where the
 * forwarder sees what for.
 */
function settingsOf(plan: BubblewrapPlan): readonly Setting[] {
	const { layout, settings, open_network } = plan;
	const wanted = ([path]: Setting) => open_network || path !== "/etc/resolv.conf";
	// Nothing new can be mounted in a folder that is read-only.
	return settings === undefined || placesOf(plan).some((path) => isWithin(path, "/etc"))
		? [
				...layout.settings.filter(wanted),
				...([
					["/etc/passwd", layout.passwd],
					["/etc/group", layout.group],
				] as const),
			]
		: [["/etc", settings.folder], ...settings.live.filter(wanted)];
}

/** Every place that something is made at for this sandbox alone. */
function placesOf({ mounts, binds, cwd }: BubblewrapPlan): string[] {
	return [...mounts.map(({ path }) => path), ...binds.map(({ to }) => to), cwd];
}

function mountArguments(mount: Mount): string[] {
	switch (mount.kind) {
		case "read":
			return ["--ro-bind", mount.path, mount.path];
		case "write":
		case "pin":
			return ["--bind", mount.source ?? mount.path, mount.path];
		case "link":
			return ["--symlink", mount.target ?? "", mount.path];
		case "hide":
			return mount.is_file === true
				? ["--ro-bind", "/dev/null", mount.path]
				: ["--tmpfs", mount.path];
	}
}

function isHiddenFolder(mount: Mount): boolean {
	return mount.kind === "hide" && mount.is_file !== true;
}
