/** A system call by its number on each architecture; undefined where it does not exist. */
export interface Syscall {
	readonly name: string;
	readonly x64: number | undefined;
	readonly arm64: number | undefined;
}

function call(name: string, x64: number | undefined, arm64: number | undefined): Syscall {
	return { name, x64, arm64 };
}

/**
 * What no MCP server needs and an attacker on the kernel or on its neighbours would like. Denied
 * whatever the arguments are.
 */
export const denied: readonly Syscall[] = [
	// Looking into other processes.
	call("ptrace", 101, 117),
	call("process_vm_readv", 310, 270),
	call("process_vm_writev", 311, 271),
	call("process_madvise", 440, 440),
	call("kcmp", 312, 272),
	call("pidfd_getfd", 438, 438),
	// Changing what is mounted where.
	call("mount", 165, 40),
	call("umount2", 166, 39),
	call("pivot_root", 155, 41),
	call("chroot", 161, 51),
	call("open_tree", 428, 428),
	call("move_mount", 429, 429),
	call("fsopen", 430, 430),
	call("fsconfig", 431, 431),
	call("fsmount", 432, 432),
	call("fspick", 433, 433),
	call("mount_setattr", 442, 442),
	call("open_tree_attr", 467, 467),
	call("open_by_handle_at", 304, 265),
	call("setns", 308, 268),
	// Programs and work inside the kernel.
	call("bpf", 321, 280),
	call("io_uring_setup", 425, 425),
	call("io_uring_enter", 426, 426),
	call("io_uring_register", 427, 427),
	call("userfaultfd", 323, 282),
	call("perf_event_open", 298, 241),
	call("init_module", 175, 105),
	call("finit_module", 313, 273),
	call("delete_module", 176, 106),
	call("create_module", 174, undefined),
	call("get_kernel_syms", 177, undefined),
	call("query_module", 178, undefined),
	call("kexec_load", 246, 104),
	call("kexec_file_load", 320, 294),
	// The kernel's key rings, which no namespace separates.
	call("add_key", 248, 217),
	call("request_key", 249, 218),
	call("keyctl", 250, 219),
	// The machine as a whole.
	call("reboot", 169, 142),
	call("swapon", 167, 224),
	call("swapoff", 168, 225),
	call("acct", 163, 89),
	call("quotactl", 179, 60),
	call("quotactl_fd", 443, 443),
	call("syslog", 103, 116),
	call("vhangup", 153, 58),
	call("sethostname", 170, 161),
	call("setdomainname", 171, 162),
	call("settimeofday", 164, 170),
	call("clock_settime", 227, 112),
	call("clock_adjtime", 305, 266),
	call("adjtimex", 159, 171),
	call("fanotify_init", 300, 262),
	call("lookup_dcookie", 212, 18),
	call("nfsservctl", 180, 42),
	call("move_pages", 279, 239),
	call("migrate_pages", 256, 238),
	// Left-overs of old hardware and old programs.
	call("_sysctl", 156, undefined),
	call("uselib", 134, undefined),
	call("ustat", 136, undefined),
	call("modify_ldt", 154, undefined),
	call("iopl", 172, undefined),
	call("ioperm", 173, undefined),
];

/** System calls that are looked at more closely. */
export const clone = call("clone", 56, 220);
export const clone3 = call("clone3", 435, 435);
export const unshare = call("unshare", 272, 97);
export const socket = call("socket", 41, 198);
export const ioctl = call("ioctl", 16, 29);
export const socketpair = call("socketpair", 53, 199);
export const sendto = call("sendto", 44, 206);
export const sendmsg = call("sendmsg", 46, 211);
export const sendmmsg = call("sendmmsg", 307, 269);
export const listen = call("listen", 50, 201);
export const prlimit = call("prlimit64", 302, 261);

/** Memory, messages and locks that all programs of a machine share by number or name. */
export const shared_objects: readonly Syscall[] = [
	call("shmget", 29, 194),
	call("shmat", 30, 196),
	call("msgget", 68, 186),
	call("semget", 64, 190),
	call("mq_open", 240, 180),
	call("mq_unlink", 241, 181),
];

/** Changes of modes, owners and attributes by path, which Landlock does not hold back. */
export const path_attributes: readonly Syscall[] = [
	call("chmod", 90, undefined),
	call("fchmodat", 268, 53),
	call("fchmodat2", 452, 452),
	call("chown", 92, undefined),
	call("lchown", 94, undefined),
	call("fchownat", 260, 54),
	call("setxattr", 188, 5),
	call("lsetxattr", 189, 6),
	call("setxattrat", 463, 463),
	call("removexattr", 197, 14),
	call("lremovexattr", 198, 15),
	call("removexattrat", 466, 466),
	call("file_setattr", 469, 469),
];
