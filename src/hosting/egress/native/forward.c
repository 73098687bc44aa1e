/*
 * forward SOCKET PORT PROGRAM [ARGUMENT...]
 *
 * Runs inside a sandbox that has a network of its own with nothing in it: listens on 127.0.0.1:PORT
 * there, becomes PROGRAM, and leaves one small process behind that carries every connection to the
 * unix socket SOCKET, where the gateway's proxy listens. It needs no libc and no file of the
 * sandbox, so that it runs in every one. It ends with PROGRAM, also where there is no pid namespace
 * to end it. It decides on nothing: what may be reached is decided by the gateway.
 *
 * Where the kernel can (5.5), it also sees what PROGRAM and its children try past the proxy, and
 * tells the gateway: the kernel asks it before each connect, and before what is sent to an address
 * (seccomp user notification). It lets all of them go on: that there is nothing to be reached is the
 * network's doing, not its own. Of a name that is looked up it tells the name.
 *
 * Exit codes before PROGRAM runs: 90 usage, 91 no loopback, 92 no listener, 93 no process,
 * 127 PROGRAM cannot be run.
 */

typedef long word;
typedef unsigned char byte;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#if defined(__x86_64__)
enum {
	nr_read = 0, nr_write = 1, nr_close = 3, nr_ioctl = 16, nr_socket = 41, nr_connect = 42,
	nr_shutdown = 48, nr_bind = 49, nr_listen = 50, nr_setsockopt = 54, nr_clone = 56,
	nr_execve = 59, nr_exit = 60, nr_wait4 = 61, nr_getpid = 39, nr_rt_sigaction = 13,
	nr_ppoll = 271, nr_accept4 = 288, nr_pidfd_open = 434, nr_close_range = 436,
	nr_socketpair = 53, nr_sendmsg = 46, nr_recvmsg = 47, nr_seccomp = 317, nr_uname = 63,
	nr_prctl = 157, nr_openat = 257, nr_pread = 17, nr_sendto = 44, nr_sendmmsg = 307,
	nr_clock_gettime = 228, audit_arch = (int)0xc000003e
};
static word call(word n, word a, word b, word c, word d, word e) {
	word result;
	register word r10 __asm__("r10") = d;
	register word r8 __asm__("r8") = e;
	register word r9 __asm__("r9") = 0;
	__asm__ volatile("syscall" : "=a"(result)
		: "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}
__asm__(".globl _start\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall run\n");
#elif defined(__aarch64__)
enum {
	nr_read = 63, nr_write = 64, nr_close = 57, nr_ioctl = 29, nr_socket = 198, nr_connect = 203,
	nr_shutdown = 210, nr_bind = 200, nr_listen = 201, nr_setsockopt = 208, nr_clone = 220,
	nr_execve = 221, nr_exit = 93, nr_wait4 = 260, nr_getpid = 172, nr_rt_sigaction = 134,
	nr_ppoll = 73, nr_accept4 = 242, nr_pidfd_open = 434, nr_close_range = 436,
	nr_socketpair = 199, nr_sendmsg = 211, nr_recvmsg = 212, nr_seccomp = 277, nr_uname = 160,
	nr_prctl = 167, nr_openat = 56, nr_pread = 67, nr_sendto = 206, nr_sendmmsg = 269,
	nr_clock_gettime = 113, audit_arch = (int)0xc00000b7
};
static word call(word n, word a, word b, word c, word d, word e) {
	register word x8 __asm__("x8") = n;
	register word x0 __asm__("x0") = a;
	register word x1 __asm__("x1") = b;
	register word x2 __asm__("x2") = c;
	register word x3 __asm__("x3") = d;
	register word x4 __asm__("x4") = e;
	register word x5 __asm__("x5") = 0;
	__asm__ volatile("svc #0" : "+r"(x0)
		: "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x29,#0\n\tmov x0,sp\n\tbl run\n");
#else
#error "no system calls known for this processor"
#endif

enum {
	pairs_max = 256, buffer_bytes = 4096, sigchld = 17,
	af_unix = 1, af_inet = 2, sock_stream = 1, nonblock = 04000, cloexec = 02000000,
	pollin = 1, pollout = 4, shut_wr = 1, af_inet6 = 10,
	enoent = -2, eintr = -4, enoexec = -8, eagain = -11, eacces = -13, enotdir = -20, cloexec_received = 0x40000000, set_tracer = 0x59616d61
};

struct unix_address { u16 family; char path[108]; };
struct inet_address { u16 family; u16 port; u32 host; byte rest[8]; };
struct interface { char name[16]; union { u16 flags; byte rest[24]; } is; };
struct poll_entry { int fd; u16 events; u16 found; };

/* One direction of a connection: bytes read from one side and not written to the other yet. */
struct flow { u16 from, to; byte has_ended; byte bytes[buffer_bytes]; };
/* fd[0] is inside, fd[1] is the proxy. flow[i] comes from fd[i]. */
struct pair { int fd[2]; struct flow flow[2]; };

static struct pair pairs[pairs_max];
static int live;
/* What is waited for: the program's end, the listener, the kernel's questions, and connections. */
enum { at_program, at_listener, at_notices, at_pairs };
static struct poll_entry polled[at_pairs + 2 * pairs_max];
static struct unix_address proxy;

void *memset(void *to, int value, unsigned long count) {
	byte *at = to;
	while (count--) *at++ = (byte)value;
	return to;
}
void *memcpy(void *to, const void *from, unsigned long count) {
	byte *at = to;
	const byte *source = from;
	while (count--) *at++ = *source++;
	return to;
}

static void leave(int code) {
	for (;;) call(nr_exit, code, 0, 0, 0, 0);
}

static u32 length_of(const char *text) {
	u32 length = 0;
	while (text[length]) length++;
	return length;
}

static void say(const char *text) {
	call(nr_write, 2, (word)text, length_of(text), 0, 0);
}

/* Else nobody knows why a server never came to say anything. */
static void refuse(int code, const char *what, const char *why) {
	say("moorage-forward: ");
	say(what);
	say(why);
	say("\n");
	leave(code);
}

/* bwrap does this as well; `unshare --net` alone does not. */
static int loopback_up(void) {
	struct interface lo;
	memset(&lo, 0, sizeof lo);
	lo.name[0] = 'l';
	lo.name[1] = 'o';
	word fd = call(nr_socket, af_inet, sock_stream | cloexec, 0, 0, 0);
	if (fd < 0) return 0;
	word result = call(nr_ioctl, fd, 0x8913, (word)&lo, 0, 0);
	if (result == 0 && !(lo.is.flags & 1)) {
		lo.is.flags |= 1;
		result = call(nr_ioctl, fd, 0x8914, (word)&lo, 0, 0);
	}
	call(nr_close, fd, 0, 0, 0, 0);
	return result == 0;
}

static word listen_on(u16 port) {
	struct inet_address at;
	memset(&at, 0, sizeof at);
	at.family = af_inet;
	at.port = (u16)(port << 8 | port >> 8);
	at.host = 0x0100007f;
	int on = 1;
	word fd = call(nr_socket, af_inet, sock_stream | nonblock | cloexec, 0, 0, 0);
	if (fd < 0) return fd;
	call(nr_setsockopt, fd, 1, 2, (word)&on, sizeof on);
	if (call(nr_bind, fd, (word)&at, sizeof at, 0, 0) < 0) return -1;
	if (call(nr_listen, fd, 128, 0, 0, 0) < 0) return -1;
	return fd;
}

static void take(word listener) {
	for (;;) {
		/* The rest waits in the listener's own queue. */
		if (live == pairs_max) return;
		word inside = call(nr_accept4, listener, 0, 0, nonblock | cloexec, 0);
		if (inside < 0) return;
		/* Such a socket is connected at once, or not at all: nothing here ever waits. */
		word outside = call(nr_socket, af_unix, sock_stream | nonblock | cloexec, 0, 0, 0);
		if (outside < 0 || call(nr_connect, outside, (word)&proxy, sizeof proxy, 0, 0) < 0) {
			if (outside >= 0) call(nr_close, outside, 0, 0, 0, 0);
			call(nr_close, inside, 0, 0, 0, 0);
			continue;
		}
		int on = 1;
		/* Small messages are answered to at once, as they came. */
		call(nr_setsockopt, inside, 6, 1, (word)&on, sizeof on);
		struct pair *pair = &pairs[live++];
		pair->fd[0] = (int)inside;
		pair->fd[1] = (int)outside;
		for (int side = 0; side < 2; side++) {
			pair->flow[side].from = pair->flow[side].to = 0;
			pair->flow[side].has_ended = 0;
		}
	}
}

/* Moves what there is from one side to the other; 0 when the connection is broken. */
static int move(struct pair *pair, int side) {
	struct flow *flow = &pair->flow[side];
	int from = pair->fd[side], to = pair->fd[1 - side];
	for (int turn = 0; turn < 16; turn++) {
		if (flow->from == flow->to) {
			if (flow->has_ended) return 1;
			word count = call(nr_read, from, (word)flow->bytes, buffer_bytes, 0, 0);
			if (count == eagain || count == eintr) return 1;
			if (count < 0) return 0;
			flow->from = 0;
			flow->to = (u16)count;
			if (count == 0) {
				flow->has_ended = 1;
				call(nr_shutdown, to, shut_wr, 0, 0, 0);
				return 1;
			}
		}
		word count =
			call(nr_write, to, (word)(flow->bytes + flow->from), flow->to - flow->from, 0, 0);
		if (count == eagain || count == eintr) return 1;
		if (count <= 0) return 0;
		flow->from = (u16)(flow->from + count);
	}
	return 1;
}

/*
 * What is tried past the proxy. The layouts are those of the kernel's linux/seccomp.h, linux/filter.h
 * and of `struct msghdr` on 64 bits.
 */
struct filter_step { u16 code; byte when_true, when_false; u32 value; };
struct filter { u16 count; const struct filter_step *steps; };
struct notice { u64 id; u32 pid, flags; int number; u32 arch; u64 place, argument[6]; };
struct reply { u64 id; word value; int error; u32 flags; };
struct part { word base; u64 length; };
struct message { word name; u32 name_length; word parts; u64 count; word control; u64 control_length;
	u32 flags; };

enum {
	notice_receive = (int)0xc0502100, notice_send = (int)0xc0182101,
	reply_continue = 1, new_listener = 8, wait_killable = 32,
	step_load = 0x20, step_equal = 0x15, step_return = 0x06,
	answer_allow = 0x7fff0000, answer_notice = 0x7fc00000,
	dns_port = 53, lookups_max = 16, told_a_second_max = 64, name_max = 253
};

/* An address of the internet: the last 4 bytes of `bytes` where it is of version 4. */
struct address { int family; u16 port; byte bytes[16]; };
/* A name server inside that a thread has turned to, and of which it has asked nothing yet. */
struct lookup { u32 thread; struct address server; };

static struct lookup lookups[lookups_max];
/* What was told of in this second, by a hash of it (FNV-1a). */
static u64 told[told_a_second_max];
static word told_second;
static int told_count;

static int has_lookups(void) {
	for (int index = 0; index < lookups_max; index++) if (lookups[index].thread) return 1;
	return 0;
}

/* Memory of a thread that waits for an answer; the bytes that were read. */
static word peek(u32 thread, word from, void *to, u32 count) {
	char path[24] = "/proc/";
	char digits[12];
	int length = 6, digit = 0;
	for (; thread; thread /= 10) digits[digit++] = (char)('0' + thread % 10);
	while (digit) path[length++] = digits[--digit];
	memcpy(path + length, "/mem", 5);
	word fd = call(nr_openat, -100, (word)path, cloexec, 0, 0);
	if (fd < 0) return 0;
	word found = call(nr_pread, fd, (word)to, count, from, 0);
	call(nr_close, fd, 0, 0, 0, 0);
	return found < 0 ? 0 : found;
}

/* The address at a place of a thread's memory; family 0 where it is none of the internet. */
static struct address address_at(u32 thread, word place, u64 length) {
	byte raw[28];
	struct address found;
	memset(&found, 0, sizeof found);
	if (length < 16 || place == 0) return found;
	word count = peek(thread, place, raw, length < 28 ? 16 : 28);
	if (count < 16) return found;
	int family = raw[0] | raw[1] << 8;
	if (family == af_inet) memcpy(found.bytes + 12, raw + 4, 4);
	else if (family == af_inet6 && count == 28) memcpy(found.bytes, raw + 8, 16);
	else return found;
	found.family = family;
	found.port = (u16)(raw[2] << 8 | raw[3]);
	/* Version 4 as it is written in version 6. */
	int zeros = 0;
	while (zeros < 10 && found.bytes[zeros] == 0) zeros++;
	if (zeros == 10 && found.bytes[10] == 0xff && found.bytes[11] == 0xff) found.family = af_inet;
	return found;
}

/* The sandbox itself, which is no way past anything. */
static int is_inside(struct address *at) {
	if (at->family == af_inet) return at->bytes[12] == 127 || at->bytes[12] == 0;
	for (int index = 0; index < 15; index++) if (at->bytes[index]) return 0;
	return at->bytes[15] <= 1;
}

static char *decimal(char *to, u32 value) {
	char digits[12];
	int count = 0;
	do digits[count++] = (char)('0' + value % 10); while (value /= 10);
	while (count) *to++ = digits[--count];
	return to;
}

static char *hexadecimal(char *to, u32 value) {
	int shift = 12;
	while (shift > 0 && value >> shift == 0) shift -= 4;
	for (; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[value >> shift & 15];
	return to;
}

static char *written(char *to, struct address *at) {
	if (at->family == af_inet) {
		for (int index = 12; index < 16; index++) {
			if (index > 12) *to++ = '.';
			to = decimal(to, at->bytes[index]);
		}
		return to;
	}
	*to++ = '[';
	for (int index = 0; index < 16; index += 2) {
		if (index > 0) *to++ = ':';
		to = hexadecimal(to, (u32)(at->bytes[index] << 8 | at->bytes[index + 1]));
	}
	*to++ = ']';
	return to;
}

/* Whether something is to be told: each at most once a second, and not too many. */
static int is_news(const char *text, const char *end) {
	u64 hash = 0xcbf29ce484222325;
	for (; text < end; text++) hash = (hash ^ (byte)*text) * 0x100000001b3;
	word now[2] = { 0, 0 };
	call(nr_clock_gettime, 1, (word)now, 0, 0, 0);
	if (now[0] != told_second) told_count = 0;
	told_second = now[0];
	for (int index = 0; index < told_count; index++) if (told[index] == hash) return 0;
	if (told_count == told_a_second_max) return 0;
	told[told_count++] = hash;
	return 1;
}

/* Tells the gateway; its answer is not waited for. */
static void tell(const char *host, u32 length, u32 port) {
	char text[name_max + 48];
	memcpy(text, "REPORT /", 8);
	memcpy(text + 8, host, length);
	char *end = text + 8 + length;
	*end++ = ':';
	end = decimal(end, port);
	memcpy(end, " HTTP/1.1\r\n\r\n", 13);
	if (!is_news(text, end)) return;
	word fd = call(nr_socket, af_unix, sock_stream | nonblock | cloexec, 0, 0, 0);
	if (fd < 0) return;
	if (call(nr_connect, fd, (word)&proxy, sizeof proxy, 0, 0) == 0) {
		call(nr_write, fd, (word)text, end + 13 - text, 0, 0);
	}
	call(nr_close, fd, 0, 0, 0, 0);
}

static void tell_address(struct address *at) {
	char host[48];
	tell(host, (u32)(written(host, at) - host), at->port);
}

/* The name that a question asks for (RFC 1035, 4.1); 0 where it is no question. */
static int tell_name(u32 thread, word place, u64 length) {
	byte question[12 + name_max + 2];
	char name[name_max + 1];
	u32 count = length < sizeof question ? (u32)length : sizeof question;
	if (length < 17 || peek(thread, place, question, count) != (word)count) return 0;
	if (question[2] & 0xf8 || question[4] != 0 || question[5] == 0) return 0;
	u32 at = 12, to = 0;
	while (at < count && question[at] != 0) {
		u32 label = question[at++];
		if (label > 63 || at + label >= count || to + label + 1 > name_max) return 0;
		if (to > 0) name[to++] = '.';
		for (; label--; at++) {
			byte letter = question[at];
			if (letter >= 'A' && letter <= 'Z') letter += 32;
			int is_plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
				letter == '-' || letter == '_';
			name[to++] = is_plain ? (char)letter : '_';
		}
	}
	if (to == 0 || at >= count) return 0;
	tell(name, to, dns_port);
	return 1;
}

static struct lookup *lookup_of(u32 thread) {
	for (int index = 0; index < lookups_max; index++) {
		if (lookups[index].thread == thread) return &lookups[index];
	}
	return 0;
}

/* Servers that were asked in a way that does not show the question. */
static void tell_lookups(void) {
	for (int index = 0; index < lookups_max; index++) {
		if (lookups[index].thread) tell_address(&lookups[index].server);
		lookups[index].thread = 0;
	}
}

static void note_connect(struct notice *seen) {
	u32 thread = seen->pid;
	struct address at = address_at(thread, (word)seen->argument[1], seen->argument[2]);
	if (at.family == 0) return;
	if (!is_inside(&at)) tell_address(&at);
	if (at.port != dns_port || !is_inside(&at)) return;
	/* A resolver that knows no name server asks the sandbox itself: what for comes next. */
	struct lookup *lookup = lookup_of(thread);
	if (lookup == 0) lookup = lookup_of(0);
	if (lookup == 0) {
		tell_lookups();
		lookup = lookups;
	}
	lookup->thread = thread;
	lookup->server = at;
}

static void note_send(u32 thread, struct address *to, word place, u64 length) {
	struct lookup *lookup = lookup_of(thread);
	if (to->family == 0 ? lookup != 0 : to->port == dns_port) {
		if (tell_name(thread, place, length) && lookup != 0) lookup->thread = 0;
	} else if (to->family != 0 && !is_inside(to)) {
		tell_address(to);
	}
}

/* Answers one question of the kernel's; 0 when nobody is left who could be asked about. */
static int answer(word notices) {
	struct notice seen;
	memset(&seen, 0, sizeof seen);
	word result = call(nr_ioctl, notices, (u32)notice_receive, (word)&seen, 0, 0);
	/* Who asked is gone, or was called away and asks again. */
	if (result == eintr || result == -2) return !(polled[at_notices].found & 16);
	if (result < 0) return 0;
	u32 thread = seen.pid;
	if (seen.number == nr_connect) {
		note_connect(&seen);
	} else if (seen.number == nr_sendto) {
		struct address to = address_at(thread, (word)seen.argument[4], seen.argument[5]);
		note_send(thread, &to, (word)seen.argument[1], seen.argument[2]);
	} else if (seen.number == nr_sendmmsg) {
		struct message message;
		struct part part;
		if (peek(thread, (word)seen.argument[1], &message, sizeof message) == sizeof message &&
			peek(thread, message.parts, &part, sizeof part) == sizeof part) {
			struct address to = address_at(thread, message.name, message.name ? message.name_length : 0);
			note_send(thread, &to, part.base, part.length);
		}
	}
	struct reply reply;
	memset(&reply, 0, sizeof reply);
	reply.id = seen.id;
	reply.flags = reply_continue;
	call(nr_ioctl, notices, (u32)notice_send, (word)&reply, 0, 0);
	return 1;
}

/* Before 5.5 a kernel cannot be told to go on: then nobody is asked. */
static int goes_on(void) {
	char names[390];
	if (call(nr_uname, (word)names, 0, 0, 0, 0) < 0) return 0;
	const char *release = names + 2 * 65;
	u32 major = 0, minor = 0;
	for (; *release >= '0' && *release <= '9'; release++) major = major * 10 + (*release - '0');
	if (*release++ != '.') return 0;
	for (; *release >= '0' && *release <= '9'; release++) minor = minor * 10 + (*release - '0');
	return major > 5 || (major == 5 && minor >= 5);
}

/* From now on the kernel asks about this process, and whatever it starts. */
static word ask_for_notices(void) {
	static const struct filter_step steps[] = {
		{ step_load, 0, 0, 4 },
		{ step_equal, 0, 8, (u32)audit_arch },
		{ step_load, 0, 0, 0 },
		{ step_equal, 5, 0, nr_connect },
		{ step_equal, 4, 0, nr_sendmmsg },
		{ step_equal, 0, 4, nr_sendto },
		/* What is sent on a connection has no address: half of the pointer tells that well enough. */
		{ step_load, 0, 0, 16 + 4 * 8 },
		{ step_equal, 0, 1, 0 },
		{ step_return, 0, 0, answer_allow },
		{ step_return, 0, 0, answer_notice },
		{ step_return, 0, 0, answer_allow },
	};
	struct filter filter = { sizeof steps / sizeof *steps, steps };
	word fd = call(nr_seccomp, 1, new_listener | wait_killable, (word)&filter, 0, 0);
	/* Before 5.19. */
	if (fd == -22) fd = call(nr_seccomp, 1, new_listener, (word)&filter, 0, 0);
	return fd;
}

/* A message of one byte, with a descriptor beside it. */
struct passed { u64 length; int level, type, fd, rest; };

static void pass(word over, word fd) {
	struct passed passed = { 20, 1, 1, (int)fd, 0 };
	struct part part = { (word)"", 1 };
	struct message message = { 0, 0, (word)&part, 1, (word)&passed, sizeof passed, 0 };
	if (fd < 0) message.control = 0, message.control_length = 0;
	call(nr_sendmsg, over, (word)&message, 0, 0, 0);
}

static word passed_over(word over) {
	struct passed passed;
	char byte_read;
	struct part part = { (word)&byte_read, 1 };
	struct message message = { 0, 0, (word)&part, 1, (word)&passed, sizeof passed, 0 };
	memset(&passed, 0, sizeof passed);
	word count = call(nr_recvmsg, over, (word)&message, cloexec_received, 0, 0);
	return count == 1 && message.control_length >= 20 ? passed.fd : -1;
}

static u16 wanted(struct pair *pair, int side) {
	struct flow *reads = &pair->flow[side], *writes = &pair->flow[1 - side];
	u16 events = 0;
	if (reads->from == reads->to && !reads->has_ended) events |= pollin;
	if (writes->from != writes->to) events |= pollout;
	return events;
}

static void forward(word listener, word program, word notices) {
	for (;;) {
		polled[at_program].fd = (int)program;
		polled[at_listener].fd = live < pairs_max ? (int)listener : -1;
		polled[at_notices].fd = (int)notices;
		for (int index = 0; index < at_pairs; index++) {
			polled[index].events = pollin;
			polled[index].found = 0;
		}
		for (int index = 0; index < live; index++) {
			for (int side = 0; side < 2; side++) {
				struct poll_entry *entry = &polled[at_pairs + 2 * index + side];
				entry->events = wanted(&pairs[index], side);
				/* A side that nothing is wanted of would wake us for ever once it hangs up. */
				entry->fd = entry->events ? pairs[index].fd[side] : -1;
				entry->found = 0;
			}
		}
		int count = at_pairs + 2 * live;
		word quiet[2] = { 1, 0 };
		word found = call(nr_ppoll, (word)polled, count, has_lookups() ? (word)quiet : 0, 0, 0);
		if (found == eintr) continue;
		if (found <= 0 || polled[at_program].found) tell_lookups();
		if (found < 0 || polled[at_program].found) leave(0);
		if (polled[at_notices].found && !answer(notices)) {
			call(nr_close, notices, 0, 0, 0, 0);
			notices = -1;
		}
		/* From the end, so that the pair that fills a gap has been looked at already. */
		for (int index = live - 1; index >= 0; index--) {
			struct pair *pair = &pairs[index];
			int is_whole = 1;
			for (int side = 0; side < 2 && is_whole; side++) {
				if (polled[at_pairs + 2 * index].found | polled[at_pairs + 2 * index + 1].found) {
					is_whole = move(pair, side);
				}
			}
			if (is_whole && !(pair->flow[0].has_ended && pair->flow[1].has_ended)) continue;
			call(nr_close, pair->fd[0], 0, 0, 0, 0);
			call(nr_close, pair->fd[1], 0, 0, 0, 0);
			live--;
			if (index != live) *pair = pairs[live];
		}
		if (polled[at_listener].found) take(listener);
	}
}

/* Signals for the whole group are meant for the program, which may need the network to end well. */
static void ignore_signals(void) {
	struct { word handler; unsigned long flags; word restorer; unsigned long mask; } action;
	static const byte ignored[] = { 1, 2, 3, 10, 12, 13, 15 };
	memset(&action, 0, sizeof action);
	action.handler = 1;
	for (unsigned index = 0; index < sizeof ignored; index++) {
		call(nr_rt_sigaction, ignored[index], (word)&action, 0, 8, 0);
	}
}

static u32 number(const char *text) {
	u32 value = 0;
	for (; *text >= '0' && *text <= '9' && value < 65536; text++) value = value * 10 + (*text - '0');
	return *text ? 0 : value;
}

static const char *path_of(char **environment) {
	for (; *environment; environment++) {
		const char *at = *environment;
		if (at[0] == 'P' && at[1] == 'A' && at[2] == 'T' && at[3] == 'H' && at[4] == '=') return at + 5;
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/*
 * Becomes the program. One that is named without a folder is looked for on PATH, as it would be
 * without us: most images name theirs that way. Comes back with why there is none.
 */
static word become(char **arguments, char **environment) {
	static char tried[4096];
	const char *name = arguments[0];
	u32 length = length_of(name);
	for (u32 at = 0; at < length; at++) {
		if (name[at] == '/') return call(nr_execve, (word)name, (word)arguments, (word)environment, 0, 0);
	}
	word why = enoent;
	if (length == 0) return why;
	for (const char *path = path_of(environment);; path++) {
		u32 folder = 0;
		while (path[folder] && path[folder] != ':') folder++;
		if (folder + length + 2 <= sizeof tried) {
			memcpy(tried, path, folder);
			/* An empty folder is the one we are in. */
			if (folder > 0) tried[folder] = '/';
			memcpy(tried + folder + (folder > 0), name, length + 1);
			word failed = call(nr_execve, (word)tried, (word)arguments, (word)environment, 0, 0);
			if (failed != enoent && failed != enotdir) why = failed;
		}
		path += folder;
		if (!*path) return why;
	}
}

__attribute__((used)) void run(word *stack) {
	word count = stack[0];
	char **arguments = (char **)(stack + 1);
	char **environment = arguments + count + 1;
	if (count < 4) leave(90);
	u32 length = length_of(arguments[1]);
	u32 port = number(arguments[2]);
	if (length == 0 || length >= sizeof proxy.path || port == 0 || port > 65535) leave(90);
	proxy.family = af_unix;
	memcpy(proxy.path, arguments[1], length);
	if (!loopback_up()) refuse(91, "there is no loopback", "");
	word listener = listen_on((u16)port);
	if (listener < 0) refuse(92, "the proxy's port cannot be listened on", "");
	/* Where this is refused, the end of the pid namespace ends us. */
	word program = call(nr_pidfd_open, call(nr_getpid, 0, 0, 0, 0, 0), 0, 0, 0, 0);
	int pair[2] = { -1, -1 };
	int asks = goes_on() && call(nr_socketpair, af_unix, sock_stream | cloexec, 0, (word)pair, 0) == 0;
	/* Two steps away, so that the program never meets a child that it did not start. */
	word child = call(nr_clone, sigchld, 0, 0, 0, 0);
	if (child < 0) leave(93);
	if (child == 0) {
		word grandchild = call(nr_clone, sigchld, 0, 0, 0, 0);
		if (grandchild != 0) leave(grandchild < 0 ? 93 : 0);
		ignore_signals();
		/* The program's pipes must end with the program, and whatever else it was given. */
		word last = listener > program ? listener : program;
		if (asks && pair[0] > last) last = pair[0];
		for (word fd = 0; fd < last; fd++) {
			int is_needed = fd == listener || fd == program || (asks && fd == pair[0]);
			if (!is_needed) call(nr_close, fd, 0, 0, 0, 0);
		}
		call(nr_close_range, last + 1, 0x7fffffff, 0, 0, 0);
		word notices = -1;
		if (asks) {
			int self = (int)call(nr_getpid, 0, 0, 0, 0, 0);
			call(nr_write, pair[0], (word)&self, sizeof self, 0, 0);
			notices = passed_over(pair[0]);
			call(nr_close, pair[0], 0, 0, 0, 0);
		}
		forward(listener, program, notices);
	}
	int status = 0;
	while (call(nr_wait4, child, (word)&status, 0, 0, 0) == eintr) continue;
	if (status != 0) leave(93);
	if (asks) {
		/* Security modules may want to hear who may read our memory (Yama). */
		int forwarder = 0;
		call(nr_close, pair[0], 0, 0, 0, 0);
		call(nr_read, pair[1], (word)&forwarder, sizeof forwarder, 0, 0);
		call(nr_prctl, set_tracer, forwarder, 0, 0, 0);
		word notices = ask_for_notices();
		pass(pair[1], notices);
		if (notices >= 0) call(nr_close, notices, 0, 0, 0, 0);
		call(nr_close, pair[1], 0, 0, 0, 0);
	}
	word why = become(arguments + 3, environment);
	refuse(
		127, arguments[3],
		why == enoent || why == enotdir ? " cannot be run: there is no such program"
		: why == eacces ? " cannot be run: it may not be executed"
		: why == enoexec ? " cannot be run: it is no program for this machine"
		: " cannot be run"
	);
}
