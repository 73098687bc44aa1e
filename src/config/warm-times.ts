/**
 * A time of the day at which a server is warmed, in the machine's local time: `08:00`, or on
 * some days of the week only, as in `mon-fri 08:00` and `sat,sun 10:30`.
 */
export const warm_time_pattern =
	/^((?:mon|tue|wed|thu|fri|sat|sun)(?:[-,](?:mon|tue|wed|thu|fri|sat|sun))*\s+)?([01]\d|2[0-3]):([0-5]\d)$/;
