import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { OperationId } from "../../admin/operations.ts";
import { type ApiProblem, type ApiRequest, addressOf, call, problemIn, type Reply } from "./api.ts";
import { every } from "./clock.ts";
import { onConnection, onNews } from "./events.ts";

/** What is known of something that is read from the gateway. */
export interface Query<Value> {
	readonly value: Value | undefined;
	readonly problem: ApiProblem | undefined;
	readonly loading: boolean;
	/** Reads it again. */
	reload(): void;
	/** Puts a value in its place, until it is read again. */
	set(change: (value: Value) => Value): void;
}

/** When something is read again by itself. */
export interface QueryOptions extends ApiRequest {
	/** Every so often, while the page is looked at. */
	readonly every_ms?: number;
	/** Whenever one of these is news. */
	readonly on?: readonly string[];
	/** False as long as it is not wanted. */
	readonly wanted?: boolean;
}

/** Answers that were seen before are shown while they are read again. */
const seen = new Map<string, unknown>();
const seen_max = 60;

/** Forgets what somebody else saw. */
export function forgetAll(): void {
	seen.clear();
}

/** Reads something from the gateway, keeps it fresh, and shows what was known meanwhile. */
export function useQuery<Id extends OperationId>(
	id: Id,
	options: QueryOptions = {},
): Query<Reply<Id>> {
	const { every_ms, wanted = true } = options;
	const key = addressOf(id, options);
	const [state, setState] = useState<{
		key: string;
		value?: Reply<Id> | undefined;
		problem?: ApiProblem | undefined;
		loading: boolean;
	}>({ key, value: seen.get(key) as Reply<Id> | undefined, loading: true });
	const latest = useRef(options);
	latest.current = options;
	const running = useRef<AbortController | undefined>(undefined);

	const reload = useCallback(() => {
		running.current?.abort();
		const cancel = new AbortController();
		running.current = cancel;
		const { path, query } = latest.current;
		const request = { signal: cancel.signal, ...(path && { path }), ...(query && { query }) };
		call(id, request).then(
			(value) => {
				if (cancel.signal.aborted) return;
				remember(key, value);
				setState({ key, value, loading: false });
			},
			(error: unknown) => {
				if (cancel.signal.aborted) return;
				const problem = problemIn(error);
				setState((before) => ({
					key,
					value: before.key === key ? before.value : undefined,
					problem,
					loading: false,
				}));
			},
		);
	}, [id, key]);

	useEffect(() => {
		if (!wanted) return undefined;
		setState({ key, value: seen.get(key) as Reply<Id> | undefined, loading: true });
		reload();
		return () => running.current?.abort();
	}, [key, wanted, reload]);
	useRefresh(reload, { every_ms, kinds: options.on, wanted });

	const current =
		state.key === key ? state : { value: undefined, problem: undefined, loading: true };
	const set = useCallback((change: (value: Reply<Id>) => Reply<Id>) => {
		setState((before) =>
			before.value === undefined ? before : { ...before, value: change(before.value) },
		);
	}, []);
	return { value: current.value, problem: current.problem, loading: current.loading, reload, set };
}

function useRefresh(
	reload: () => void,
	{
		every_ms,
		kinds,
		wanted,
	}: {
		every_ms: number | undefined;
		kinds: readonly string[] | undefined;
		wanted: boolean;
	},
): void {
	const names = (kinds ?? []).join(",");
	useEffect(() => {
		if (!wanted) return undefined;
		const undo = names === "" ? [] : names.split(",").map((kind) => onNews(kind, reload));
		if (every_ms !== undefined) {
			undo.push(every(every_ms, () => document.visibilityState === "visible" && reload()));
		}
		// What was missed while nobody answered is caught up with.
		let first = true;
		undo.push(
			onConnection((connected) => {
				if (connected && !first) reload();
				first = false;
			}),
		);
		return () => {
			for (const one of undo) one();
		};
	}, [reload, every_ms, names, wanted]);
}

function remember(key: string, value: unknown): void {
	seen.delete(key);
	seen.set(key, value);
	const oldest = seen.keys().next().value;
	if (seen.size > seen_max && oldest !== undefined) seen.delete(oldest);
}

/** Something that is done once, on a click. */
export interface Action<Input> {
	readonly busy: boolean;
	readonly problem: ApiProblem | undefined;
	run(input: Input): Promise<boolean>;
	clear(): void;
}

/** Runs work that a person asked for; a second click waits until it is over. */
export function useAction<Input = void>(work: (input: Input) => Promise<unknown>): Action<Input> {
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<ApiProblem | undefined>(undefined);
	const latest = useRef(work);
	latest.current = work;
	const running = useRef(false);
	const run = useCallback(async (input: Input) => {
		if (running.current) return false;
		running.current = true;
		setBusy(true);
		setProblem(undefined);
		try {
			await latest.current(input);
			return true;
		} catch (error) {
			setProblem(problemIn(error));
			return false;
		} finally {
			running.current = false;
			setBusy(false);
		}
	}, []);
	return { busy, problem, run, clear: () => setProblem(undefined) };
}
