/*
 * forward SOCKET PORT PROGRAM [ARGUMENT...]
 * forward -w PORT SOCKET PROGRAM [ARGUMENT...]
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
 * With `-w` it is only this witness, for a PROGRAM on the machine's own network that is held back
 * by something else (Landlock): then nothing counts as inside but PORT of this machine, where the
 * gateway's proxy listens; 0 where there is none. It stands outside of what holds PROGRAM.
 *
 * Exit codes before PROGRAM runs: 90 usage, 91 no loopback, 92 no listener, 93 no process,
 * 127 PROGRAM cannot be run.
 */

#include "system.h"

enum {
	pairs_max = 256, buffer_bytes = 4096, sigchld = 17,
	af_unix = 1, af_inet = 2, sock_stream = 1, nonblock = 04000, cloexec = 02000000,
	pollin = 1, pollout = 4, shut_wr = 1, af_inet6 = 10,
	enoent = -2, eintr = -4, enoexec = -8, eagain = -11, eacces = -13, enotdir = -20, cloexec_received = 0x40000000, no_new_privs = 38,
	set_tracer = 0x59616d61
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

#include "witness.h"

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
			if (only_sees) leave(0);
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

/* Becomes the program, or says why not. */
static void start(char **target, char **environment) {
	word why = become(target, environment);
	refuse(
		127, target[0],
		why == enoent || why == enotdir ? " cannot be run: there is no such program"
		: why == eacces ? " cannot be run: it may not be executed"
		: why == enoexec ? " cannot be run: it is no program for this machine"
		: " cannot be run"
	);
}

/* Cuts a path into its folder, which is returned, and a name in that. */
static const char *cut_folder(char **path) {
	char *name = *path;
	for (char *at = *path; *at; at++) if (*at == '/') name = at + 1;
	if (name == *path) return ".";
	const char *folder = name - 1 == *path ? "/" : *path;
	name[-1] = 0;
	*path = name;
	return folder;
}

__attribute__((used)) void run(word *stack) {
	word count = stack[0];
	char **arguments = (char **)(stack + 1);
	char **environment = arguments + count + 1;
	if (count < 4) leave(90);
	only_sees = arguments[1][0] == '-' && arguments[1][1] == 'w' && arguments[1][2] == 0;
	if (only_sees && count < 5) leave(90);
	char *socket = arguments[only_sees ? 3 : 1];
	char **target = arguments + (only_sees ? 4 : 3);
	u32 port = number(arguments[2]);
	/* A path outside may be longer than the kernel takes: there it is named from its folder. */
	const char *folder = only_sees ? cut_folder(&socket) : ".";
	u32 length = length_of(socket);
	if (length == 0 || length >= sizeof proxy.path) leave(90);
	if (port > 65535 || (port == 0 && !only_sees)) leave(90);
	proxy.family = af_unix;
	memcpy(proxy.path, socket, length);
	word listener = -1;
	if (only_sees) {
		proxy_port = port;
		/* The kernel asks for nobody who could still be given more rights. */
		call(nr_prctl, no_new_privs, 1, 0, 0, 0);
	} else {
		if (!loopback_up()) refuse(91, "there is no loopback", "");
		listener = listen_on((u16)port);
		if (listener < 0) refuse(92, "the proxy's port cannot be listened on", "");
	}
	/* Where this is refused, the end of the pid namespace ends us. */
	word program = call(nr_pidfd_open, call(nr_getpid, 0, 0, 0, 0, 0), 0, 0, 0, 0);
	int pair[2] = { -1, -1 };
	/* Without it a witness would not know when to go. */
	int asks = goes_on() && (program >= 0 || !only_sees) &&
		call(nr_socketpair, af_unix, sock_stream | cloexec, 0, (word)pair, 0) == 0;
	if (only_sees && !asks) start(target, environment);
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
		if (only_sees && (notices < 0 || call(nr_chdir, (word)folder, 0, 0, 0, 0) < 0)) leave(0);
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
	start(target, environment);
}
