/*
 * launch [GROUP_FILE]...
 *
 * Enters control groups, waits to be told of a program, and becomes it. It is started before
 * anybody asks for a program, so that all that takes time is over by then.
 *
 * What it is told of comes over descriptor 3, ended by the end of the stream: texts that each end
 * in a zero byte, in this order, and nothing after them:
 *
 *   largest file in bytes, and number of descriptors; `-` leaves a limit as it is
 *   the working folder
 *   a file that the program is given as descriptor 3; `-` for none
 *   number of arguments, and the arguments; the first is the program's path
 *   number of variables, and the variables
 *
 * Where nothing or only a part of that comes, whoever was to tell it is gone, and it ends. It needs
 * no libc and no file of the machine, so that it runs on every one.
 *
 * Exit codes before the program runs: 0 nothing came, 90 too much came, or not what should, 94 the
 * working folder is out of reach, 95 the file for descriptor 3 is, 96 a group cannot be entered,
 * 127 the program cannot be run.
 */

typedef long word;
typedef unsigned char byte;
typedef unsigned long u64;

#if defined(__x86_64__)
enum {
	nr_read = 0, nr_write = 1, nr_close = 3, nr_execve = 59, nr_chdir = 80, nr_exit_group = 231,
	nr_openat = 257, nr_prlimit = 302
};
static word call(word n, word a, word b, word c, word d) {
	word result;
	register word r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "=a"(result)
		: "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}
__asm__(".globl _start\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall run\n");
#elif defined(__aarch64__)
enum {
	nr_read = 63, nr_write = 64, nr_close = 57, nr_execve = 221, nr_chdir = 49, nr_exit_group = 94,
	nr_openat = 56, nr_prlimit = 261
};
static word call(word n, word a, word b, word c, word d) {
	register word x8 __asm__("x8") = n;
	register word x0 __asm__("x0") = a;
	register word x1 __asm__("x1") = b;
	register word x2 __asm__("x2") = c;
	register word x3 __asm__("x3") = d;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x29,#0\n\tmov x0,sp\n\tbl run\n");
#else
#error "no system calls known for this processor"
#endif

enum {
	eintr = -4, at_cwd = -100, o_wronly = 1, o_cloexec = 02000000, order_fd = 3,
	limit_file_bytes = 1, limit_core = 4, limit_descriptors = 7,
	order_bytes_max = 262144, texts_max = 16384
};

struct limits { u64 soft, hard; };

static char order[order_bytes_max + 1];
static char *texts[texts_max + 2];
static word order_length, order_at;

static void leave(int code, const char *why) {
	word length = 0;
	while (why[length]) length++;
	if (length > 0) {
		call(nr_write, 2, (word) "moorage-launch: ", 16, 0);
		call(nr_write, 2, (word)why, length, 0);
		call(nr_write, 2, (word) "\n", 1, 0);
	}
	for (;;) call(nr_exit_group, code, 0, 0, 0);
}

static void enter(const char *path) {
	word fd = call(nr_openat, at_cwd, (word)path, o_wronly | o_cloexec, 0);
	if (fd < 0 || call(nr_write, fd, (word) "0\n", 2, 0) < 0) leave(96, "a group cannot be entered");
	call(nr_close, fd, 0, 0, 0);
}

/* Everything up to the end of the stream. */
static void receive(void) {
	for (;;) {
		word count = call(nr_read, order_fd, (word)(order + order_length),
			order_bytes_max + 1 - order_length, 0);
		if (count == eintr) continue;
		if (count <= 0) break;
		order_length += count;
		if (order_length > order_bytes_max) leave(90, "it is told of too much");
	}
	call(nr_close, order_fd, 0, 0, 0);
}

/* The next text. A part of an order is none: whoever sent it has ended. */
static char *next(void) {
	char *text = order + order_at;
	while (order_at < order_length && order[order_at]) order_at++;
	if (order_at >= order_length) leave(0, "");
	order_at++;
	return text;
}

static u64 number(const char *text) {
	u64 value = 0;
	if (*text == 0) leave(90, "a number is missing");
	for (; *text; text++) {
		if (*text < '0' || *text > '9') leave(90, "this is no number");
		value = value * 10 + (u64)(*text - '0');
	}
	return value;
}

/* So many texts as the next one says, after `used` others; a null pointer ends them. */
static word list(word used) {
	u64 count = number(next());
	if (count > (u64)(texts_max - used)) leave(90, "it is told of too much");
	for (u64 at = 0; at < count; at++) texts[used++] = next();
	texts[used++] = 0;
	return used;
}

/* What cannot be lowered below what the machine allows is lower already. */
static void lower(word which, const char *text) {
	if (text[0] == '-' && text[1] == 0) return;
	u64 value = number(text);
	struct limits both = { value, value };
	call(nr_prlimit, 0, which, (word)&both, 0);
}

__attribute__((used)) void run(word *stack) {
	word count = stack[0];
	char **arguments = (char **)(stack + 1);
	for (word at = 1; at < count; at++) enter(arguments[at]);
	receive();
	const char *file_bytes = next(), *descriptors = next(), *folder = next(), *file = next();
	char **environment = texts + list(0);
	list(environment - texts);
	if (order_at != order_length || texts[0] == 0) leave(90, "this is no order");
	lower(limit_core, "0");
	lower(limit_file_bytes, file_bytes);
	lower(limit_descriptors, descriptors);
	if (call(nr_chdir, (word)folder, 0, 0, 0) < 0) leave(94, "the working folder is out of reach");
	/* The lowest that is free: the one that the order came over. */
	if ((file[0] != '-' || file[1] != 0) && call(nr_openat, at_cwd, (word)file, 0, 0) != order_fd) {
		leave(95, "a file cannot be opened");
	}
	call(nr_execve, (word)texts[0], (word)texts, (word)environment, 0);
	leave(127, "the program cannot be run");
}
