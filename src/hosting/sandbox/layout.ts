import { mkdir, readFile, readlink, realpath, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InnerUser, SystemLayout } from "./bubblewrap.ts";
import { isMachine, isWithinAny, system_folders } from "./protection.ts";
import { SettingsCopy } from "./settings-copy.ts";

/**
 * Parts of `/etc` that programs need to start, to speak TLS and to find hosts. Everything else
 * there is the machine's business: accounts, keys, how services are set up.
 */
const settings: readonly string[] = [
	"alternatives",
	"ca-certificates",
	"ca-certificates.conf",
	"crypto-policies",
	"fonts",
	"gai.conf",
	"host.conf",
	"hosts",
	"java-17-openjdk",
	"ld.so.cache",
	"ld.so.conf",
	"ld.so.conf.d",
	"locale.alias",
	"localtime",
	"mime.types",
	"nsswitch.conf",
	"os-release",
	"pki",
	"protocols",
	"python3",
	"resolv.conf",
	"services",
	"ssl/certs",
	"ssl/cert.pem",
	"ssl/openssl.cnf",
	"terminfo",
	"timezone",
];

/** Who a server is inside of the sandbox, when the gateway itself is root. */
const nobody = 65_534;
const readable_mode = 0o644;

/** The user inside: never root. */
export function innerUser(uid: number, gid: number): InnerUser {
	return uid === 0 ? { uid: nobody, gid: nobody } : { uid, gid };
}

/** Looks how the machine is laid out, and writes what sandboxes get instead of its own files. */
export async function readLayout(folder: string, user: InnerUser): Promise<SystemLayout> {
	const folders: string[] = [];
	const links: [string, string][] = [];
	for (const path of system_folders) {
		const target = await readlink(path).catch(() => undefined);
		if (target !== undefined) {
			links.push([path, target]);
		} else if (await exists(path)) {
			folders.push(path);
		}
	}
	const found: [string, string][] = [];
	for (const name of settings) {
		const path = `/etc/${name}`;
		const real = await realpath(path).catch(() => undefined);
		if (real !== undefined && (isMachine(real) || isWithinAny(real, system_folders))) {
			found.push([path, real]);
		}
	}
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const passwd = join(folder, "passwd");
	const group = join(folder, "group");
	const shell = (await exists("/bin/bash")) ? "/bin/bash" : "/bin/sh";
	const who = `server:x:${user.uid}:${user.gid}:MCP server:/tmp:${shell}`;
	await writeFile(passwd, `root:x:0:0:root:/:/bin/false\n${who}\n`, { mode: readable_mode });
	await writeFile(group, `root:x:0:\nserver:x:${user.gid}:\n`, { mode: readable_mode });
	return { folders, links, settings: found, passwd, group };
}

/** The settings of a layout in one folder, which is made where it is missing. */
export async function copySettings(folder: string, layout: SystemLayout): Promise<SettingsCopy> {
	const own = new Map([
		["/etc/passwd", await readFile(layout.passwd, "utf8")],
		["/etc/group", await readFile(layout.group, "utf8")],
	]);
	return new SettingsCopy(folder, layout.settings, own);
}

/** The command that installs bubblewrap on this kind of Linux, as `os-release` names it. */
export async function installCommand(): Promise<string> {
	const text = await readFile("/etc/os-release", "utf8").catch(() => "");
	return installCommandFor(text);
}

/** See `installCommand`; `os_release` is the text of that file. */
export function installCommandFor(os_release: string): string {
	const words = [...os_release.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gmu)]
		.flatMap(([, value = ""]) => value.split(" "))
		.filter(Boolean);
	const found = install_commands.find(({ systems }) => systems.some((id) => words.includes(id)));
	return found?.command ?? "install the package bubblewrap";
}

const install_commands: readonly { systems: readonly string[]; command: string }[] = [
	{ systems: ["debian", "ubuntu"], command: "apt-get install bubblewrap" },
	{ systems: ["fedora", "rhel", "centos", "amzn"], command: "dnf install bubblewrap" },
	{ systems: ["alpine"], command: "apk add bubblewrap" },
	{ systems: ["arch"], command: "pacman -S bubblewrap" },
	{ systems: ["suse", "opensuse", "sles"], command: "zypper install bubblewrap" },
	{ systems: ["gentoo"], command: "emerge sys-apps/bubblewrap" },
	{ systems: ["void"], command: "xbps-install bubblewrap" },
];

async function exists(path: string): Promise<boolean> {
	return (await stat(path).catch(() => undefined)) !== undefined;
}
