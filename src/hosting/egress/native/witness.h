/*
 * The part of the forwarder that sees what its program tries past the proxy. It stands on what
 * `forward.c` has declared before it is included.
 */

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
/* Whether this is nothing but a witness, and the port that its program may use. */
static int only_sees;
static u32 proxy_port;

static int has_lookups(void) {
	for (int index = 0; index < lookups_max; index++) if (lookups[index].thread) return 1;
	return 0;
}

/* Memory of a thread that waits for an answer; the bytes that were read. */
static word peek(u32 thread, word from, void *to, u32 count) {
	if (only_sees) {
		/* The files of processes may be those of another pid namespace here, and mean strangers. */
		struct part here = { (word)to, count }, there = { from, count };
		word read = call(nr_process_vm_readv, thread, (word)&here, 1, (word)&there, 1);
		return read < 0 ? 0 : read;
	}
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

/* The sandbox itself, which is no way past anything; for a witness, the proxy. */
static int is_inside(struct address *at) {
	if (only_sees && at->port != proxy_port) return 0;
	if (only_sees && at->family == af_inet) return at->bytes[12] == 127;
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
