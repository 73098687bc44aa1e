/*
 * forward SOCKET PORT PROGRAM [ARGUMENT...]
 *
 * Runs inside a sandbox that has a network of its own with nothing in it: listens on 127.0.0.1:PORT
 * there, becomes PROGRAM, and leaves one small process behind that carries every connection to the
 * unix socket SOCKET, where the gateway's proxy listens. It needs no libc and no file of the
 * sandbox, so that it runs in every one. It ends with PROGRAM, also where there is no pid namespace
 * to end it. It decides on nothing: what may be reached is decided by the gateway.
 *
 * Exit codes before PROGRAM runs: 90 usage, 91 no loopback, 92 no listener, 93 no process,
 * 127 PROGRAM cannot be run.
 */

typedef long word;
typedef unsigned char byte;
typedef unsigned short u16;
typedef unsigned int u32;

#if defined(__x86_64__)
enum {
	nr_read = 0, nr_write = 1, nr_close = 3, nr_ioctl = 16, nr_socket = 41, nr_connect = 42,
	nr_shutdown = 48, nr_bind = 49, nr_listen = 50, nr_setsockopt = 54, nr_clone = 56,
	nr_execve = 59, nr_exit = 60, nr_wait4 = 61, nr_getpid = 39, nr_rt_sigaction = 13,
	nr_ppoll = 271, nr_accept4 = 288, nr_pidfd_open = 434, nr_close_range = 436
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
	nr_ppoll = 73, nr_accept4 = 242, nr_pidfd_open = 434, nr_close_range = 436
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
	pollin = 1, pollout = 4, shut_wr = 1,
	eintr = -4, eagain = -11
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
static struct poll_entry polled[2 + 2 * pairs_max];
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

static u16 wanted(struct pair *pair, int side) {
	struct flow *reads = &pair->flow[side], *writes = &pair->flow[1 - side];
	u16 events = 0;
	if (reads->from == reads->to && !reads->has_ended) events |= pollin;
	if (writes->from != writes->to) events |= pollout;
	return events;
}

static void forward(word listener, word program) {
	for (;;) {
		polled[0].fd = (int)program;
		polled[0].events = pollin;
		polled[1].fd = live < pairs_max ? (int)listener : -1;
		polled[1].events = pollin;
		for (int index = 0; index < live; index++) {
			for (int side = 0; side < 2; side++) {
				struct poll_entry *entry = &polled[2 + 2 * index + side];
				entry->events = wanted(&pairs[index], side);
				/* A side that nothing is wanted of would wake us for ever once it hangs up. */
				entry->fd = entry->events ? pairs[index].fd[side] : -1;
				entry->found = 0;
			}
		}
		int count = 2 + 2 * live;
		polled[0].found = polled[1].found = 0;
		word found = call(nr_ppoll, (word)polled, count, 0, 0, 0);
		if (found == eintr) continue;
		if (found < 0 || polled[0].found) leave(0);
		/* From the end, so that the pair that fills a gap has been looked at already. */
		for (int index = live - 1; index >= 0; index--) {
			struct pair *pair = &pairs[index];
			int is_whole = 1;
			for (int side = 0; side < 2 && is_whole; side++) {
				if (polled[2 + 2 * index].found | polled[3 + 2 * index].found) {
					is_whole = move(pair, side);
				}
			}
			if (is_whole && !(pair->flow[0].has_ended && pair->flow[1].has_ended)) continue;
			call(nr_close, pair->fd[0], 0, 0, 0, 0);
			call(nr_close, pair->fd[1], 0, 0, 0, 0);
			live--;
			if (index != live) *pair = pairs[live];
		}
		if (polled[1].found) take(listener);
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

__attribute__((used)) void run(word *stack) {
	word count = stack[0];
	char **arguments = (char **)(stack + 1);
	char **environment = arguments + count + 1;
	if (count < 4) leave(90);
	u32 length = 0;
	while (arguments[1][length]) length++;
	u32 port = number(arguments[2]);
	if (length == 0 || length >= sizeof proxy.path || port == 0 || port > 65535) leave(90);
	proxy.family = af_unix;
	memcpy(proxy.path, arguments[1], length);
	if (!loopback_up()) leave(91);
	word listener = listen_on((u16)port);
	if (listener < 0) leave(92);
	/* Where this is refused, the end of the pid namespace ends us. */
	word program = call(nr_pidfd_open, call(nr_getpid, 0, 0, 0, 0, 0), 0, 0, 0, 0);
	/* Two steps away, so that the program never meets a child that it did not start. */
	word child = call(nr_clone, sigchld, 0, 0, 0, 0);
	if (child < 0) leave(93);
	if (child == 0) {
		word grandchild = call(nr_clone, sigchld, 0, 0, 0, 0);
		if (grandchild != 0) leave(grandchild < 0 ? 93 : 0);
		ignore_signals();
		/* The program's pipes must end with the program, and whatever else it was given. */
		word last = listener > program ? listener : program;
		for (word fd = 0; fd < last; fd++) {
			if (fd != listener && fd != program) call(nr_close, fd, 0, 0, 0, 0);
		}
		call(nr_close_range, last + 1, 0x7fffffff, 0, 0, 0);
		forward(listener, program);
	}
	int status = 0;
	while (call(nr_wait4, child, (word)&status, 0, 0, 0) == eintr) continue;
	if (status != 0) leave(93);
	call(nr_execve, (word)arguments[3], (word)(arguments + 3), (word)environment, 0, 0);
	leave(127);
}
