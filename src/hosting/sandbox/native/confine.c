/*
 * confine [-r PATH | -w PATH | -d PATH | -c PORT | -o | -f FILE]... -- PROGRAM [ARGUMENT...]
 * confine abi
 *
 * Becomes PROGRAM after it has given up everything that it was not told to keep: new privileges,
 * capabilities, open files beyond the three streams, and by Landlock every path but these:
 *
 *   -r PATH  may be read and run        -c PORT  TCP may be connected to this port, on any host
 *   -w PATH  may be changed as well     -o       TCP is left open; without it all is closed
 *   -d PATH  is a device to be used     -f FILE  is one more filter over system calls
 *
 * Where Landlock knows of it, signals and abstract sockets end at the program too. A path that is
 * not there is left out. It needs no libc and no file of the machine, so that it runs on every one.
 *
 * With `abi` it exits with the version of Landlock's interface, 0 where there is none. Exit codes
 * before PROGRAM runs: 90 usage, 91 Landlock, 92 a filter, 93 privileges, 127 PROGRAM cannot be run.
 */

typedef long word;
typedef unsigned char byte;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#if defined(__x86_64__)
enum {
	nr_read = 0, nr_write = 1, nr_close = 3, nr_execve = 59, nr_capset = 126, nr_prctl = 157,
	nr_exit_group = 231, nr_openat = 257, nr_close_range = 436, nr_landlock_create = 444,
	nr_landlock_add = 445, nr_landlock_restrict = 446
};
static word call(word n, word a, word b, word c, word d, word e) {
	word result;
	register word r10 __asm__("r10") = d;
	register word r8 __asm__("r8") = e;
	__asm__ volatile("syscall" : "=a"(result)
		: "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return result;
}
__asm__(".globl _start\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall run\n");
#elif defined(__aarch64__)
enum {
	nr_read = 63, nr_write = 64, nr_close = 57, nr_execve = 221, nr_capset = 91, nr_prctl = 167,
	nr_exit_group = 94, nr_openat = 56, nr_close_range = 436, nr_landlock_create = 444,
	nr_landlock_add = 445, nr_landlock_restrict = 446
};
static word call(word n, word a, word b, word c, word d, word e) {
	register word x8 __asm__("x8") = n;
	register word x0 __asm__("x0") = a;
	register word x1 __asm__("x1") = b;
	register word x2 __asm__("x2") = c;
	register word x3 __asm__("x3") = d;
	register word x4 __asm__("x4") = e;
	__asm__ volatile("svc #0" : "+r"(x0)
		: "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x29,#0\n\tmov x0,sp\n\tbl run\n");
#else
#error "no system calls known for this processor"
#endif

enum {
	einval = -22, at_cwd = -100, o_path = 010000000, o_cloexec = 02000000,
	rule_path = 1, rule_port = 2, net_bind = 1, net_connect = 2, scope_all = 3,
	no_new_privs = 38, drop_bounding = 24, ambient = 47, ambient_clear = 4, set_seccomp = 22,
	seccomp_filter = 2, filter_bytes_max = 32768, step_bytes = 8
};

/* Rights over files, as the kernel's linux/landlock.h numbers them. */
enum {
	fs_execute = 1 << 0, fs_write_file = 1 << 1, fs_read_file = 1 << 2, fs_read_dir = 1 << 3,
	fs_make_char = 1 << 6, fs_make_block = 1 << 11, fs_version_1 = (1 << 13) - 1,
	fs_refer = 1 << 13, fs_truncate = 1 << 14, fs_ioctl_dev = 1 << 15,
	fs_of_files = fs_execute | fs_write_file | fs_read_file | fs_truncate | fs_ioctl_dev,
	fs_reads = fs_execute | fs_read_file | fs_read_dir,
	fs_uses = fs_read_file | fs_write_file | fs_truncate,
	/* A device made by a server would be a way to the hardware. */
	fs_writes = (fs_version_1 | fs_refer | fs_truncate) & ~(fs_make_char | fs_make_block)
};

struct ruleset { u64 fs, net, scoped; };
struct path_rule { u64 allowed; int fd; } __attribute__((packed));
struct port_rule { u64 allowed, port; };
struct filter_program { u16 count; const byte *steps; };
struct capability_header { u32 version; int pid; };

static byte filter[filter_bytes_max + 1];

void *memset(void *to, int value, unsigned long count) {
	byte *at = to;
	while (count--) *at++ = (byte)value;
	return to;
}

static void leave(int code, const char *why) {
	word length = 0;
	while (why[length]) length++;
	call(nr_write, 2, (word) "moorage-confine: ", 17, 0, 0);
	call(nr_write, 2, (word)why, length, 0, 0);
	call(nr_write, 2, (word) "\n", 1, 0, 0);
	for (;;) call(nr_exit_group, code, 0, 0, 0, 0);
}

static word landlock_version(void) {
	word version = call(nr_landlock_create, 0, 0, 1, 0, 0);
	return version < 0 ? 0 : version;
}

static word make_ruleset(word version, int is_open, u64 *fs) {
	struct ruleset rules = { fs_version_1, 0, 0 };
	word bytes = 8;
	if (version >= 2) rules.fs |= fs_refer;
	if (version >= 3) rules.fs |= fs_truncate;
	if (version >= 5) rules.fs |= fs_ioctl_dev;
	if (version >= 4) {
		bytes = 16;
		rules.net = is_open ? 0 : net_bind | net_connect;
	}
	if (version >= 6) {
		bytes = 24;
		rules.scoped = scope_all;
	}
	*fs = rules.fs;
	return call(nr_landlock_create, (word)&rules, bytes, 0, 0, 0);
}

static void allow_path(word ruleset, const char *path, u64 rights) {
	word fd = call(nr_openat, at_cwd, (word)path, o_path | o_cloexec, 0, 0);
	if (fd < 0) return;
	struct path_rule rule = { rights, (int)fd };
	word result = call(nr_landlock_add, ruleset, rule_path, (word)&rule, 0, 0);
	if (result == einval) {
		/* What is no folder has no rights that only folders have. */
		rule.allowed &= fs_of_files;
		result = call(nr_landlock_add, ruleset, rule_path, (word)&rule, 0, 0);
	}
	if (result < 0) leave(91, "a path cannot be allowed");
	call(nr_close, fd, 0, 0, 0, 0);
}

static void allow_port(word ruleset, u32 port) {
	struct port_rule rule = { net_connect, port };
	word result = call(nr_landlock_add, ruleset, rule_port, (word)&rule, 0, 0);
	if (result < 0) leave(91, "a port cannot be allowed");
}

static void drop_privileges(void) {
	struct capability_header header = { 0x20080522, 0 };
	u32 none[6];
	memset(none, 0, sizeof none);
	for (word capability = 0; capability < 64; capability++) {
		call(nr_prctl, drop_bounding, capability, 0, 0, 0);
	}
	call(nr_prctl, ambient, ambient_clear, 0, 0, 0);
	/* Without new privileges, root gets none back by running a program. */
	if (call(nr_capset, (word)&header, (word)none, 0, 0, 0) < 0) leave(93, "capabilities stay");
}

/* Filters add up: a system call has to be allowed by each of them. */
static void add_filter(const char *path) {
	word fd = call(nr_openat, at_cwd, (word)path, o_cloexec, 0, 0);
	if (fd < 0) leave(92, "a filter cannot be read");
	word length = 0, count;
	do {
		count = call(nr_read, fd, (word)(filter + length), sizeof filter - length, 0, 0);
		if (count < 0) leave(92, "a filter cannot be read");
		length += count;
	} while (count > 0);
	call(nr_close, fd, 0, 0, 0, 0);
	struct filter_program program = { (u16)(length / step_bytes), filter };
	if (length == 0 || length > filter_bytes_max || length % step_bytes != 0) {
		leave(92, "a filter has a length that none has");
	}
	if (call(nr_prctl, set_seccomp, seccomp_filter, (word)&program, 0, 0) < 0) {
		leave(92, "a filter is refused");
	}
}

static u32 port_of(const char *text) {
	u32 value = 0;
	for (; *text >= '0' && *text <= '9' && value < 65536; text++) value = value * 10 + (*text - '0');
	if (*text || value == 0 || value > 65535) leave(90, "this is no port");
	return value;
}

__attribute__((used)) void run(word *stack) {
	word count = stack[0];
	char **arguments = (char **)(stack + 1);
	char **environment = arguments + count + 1;
	word version = landlock_version();
	if (count == 2 && arguments[1][0] == 'a') {
		for (;;) call(nr_exit_group, version, 0, 0, 0, 0);
	}
	if (version == 0) leave(91, "the kernel has no Landlock");
	int is_open = 0;
	word end = 1;
	for (; end < count && arguments[end][0] == '-' && arguments[end][1] != '-'; end++) {
		if (arguments[end][1] == 'o') is_open = 1;
		else end++;
	}
	if (end + 1 >= count || arguments[end][0] != '-') leave(90, "there is no program");
	if (call(nr_prctl, no_new_privs, 1, 0, 0, 0) < 0) leave(93, "new privileges stay");
	u64 fs;
	word ruleset = make_ruleset(version, is_open, &fs);
	if (ruleset < 0) leave(91, "no rules can be made");
	for (word at = 1; at < end; at++) {
		char option = arguments[at][1];
		if (option == 'o') continue;
		const char *value = arguments[++at];
		if (option == 'r') allow_path(ruleset, value, fs_reads & fs);
		else if (option == 'w') allow_path(ruleset, value, fs_writes & fs);
		else if (option == 'd') allow_path(ruleset, value, fs_uses & fs);
		else if (option == 'c') allow_port(ruleset, port_of(value));
		else if (option != 'f') leave(90, "there is no such option");
	}
	drop_privileges();
	/* The filters are files that the program itself may not read: they come first. */
	for (word at = 1; at < end; at++) {
		char option = arguments[at][1];
		if (option != 'o') at++;
		if (option == 'f') add_filter(arguments[at]);
	}
	if (call(nr_landlock_restrict, ruleset, 0, 0, 0, 0) < 0) leave(91, "the rules are refused");
	/* What is open already is beyond every rule. */
	call(nr_close_range, 3, 0x7fffffff, 0, 0, 0);
	call(nr_execve, (word)arguments[end + 1], (word)(arguments + end + 1), (word)environment, 0, 0);
	leave(127, "the program cannot be run");
}
