import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { box_key_bytes, SecretBox } from "./box.ts";
import { drawMasterKey, type MasterKey, type MasterKeyStore } from "./master-key.ts";
import { value_bytes_max } from "./secret-file.ts";
import { value_bytes_min } from "./secret-forms.ts";
import type { ValueOwner, ValueProblem, ValueSource } from "./values.ts";
import type { DataKeyRow, SecretRow, SecretRows, SecretScope } from "./vault-rows.ts";

/** What people may see of a secret: everything but its value. */
export interface SecretInfo extends SecretScope {
	readonly name: string;
	readonly created_at_ms: number;
	readonly changed_at_ms: number;
	readonly used_at_ms: number | undefined;
	readonly used_by: string | undefined;
}

/** What a vault is opened with. */
export interface VaultOptions {
	readonly rows: SecretRows;
	readonly master: MasterKeyStore;
	readonly clock: Clock;
	readonly random: Random;
}

/** Most values in one vault. */
export const secrets_max = 10_000;
/** A use is noted no more often than this. */
const use_noted_ms = 60_000;

const secret_name = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const scope_part = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

/** Why a value was not stored. */
export interface NotStored extends ValueProblem {
	/** That it is another by now than was expected. */
	readonly changed?: true;
}

const changed: NotStored = {
	changed: true,
	message: "Somebody else stored or removed this value since it was looked at.",
	next: "Look again, and store it then if it is still wanted.",
};

/** The entity tag of a value. */
function secretTag({ changed_at_ms }: Pick<SecretInfo, "changed_at_ms">): string {
	return `"${changed_at_ms}"`;
}

/**
 * The secrets of a gateway: each value sealed with a data key, each data key with the master key
 * (envelope encryption, AES-256-GCM). With another master key comes another data key, and every
 * value is sealed anew: whoever has the key of before opens nothing that is stored from then on.
 * While the master key cannot be had nothing is given out or stored, and whoever asks is told why;
 * every request looks for it again.
 */
export class Vault implements ValueSource {
	readonly #options: VaultOptions;
	/** Opened data keys, by their id. */
	#keys: Map<string, SecretBox> | undefined;
	/** The data key that new values are sealed with. */
	#current = "";
	#master: MasterKey | undefined;
	/** Opening and rotating happen one after the other. */
	#turn: Promise<unknown> = Promise.resolve();
	readonly #noted = new Map<string, number>();

	constructor(options: VaultOptions) {
		this.#options = options;
	}

	/** Makes the vault ready to be used, or says why it cannot be. */
	open(): Promise<Result<void, ValueProblem>> {
		return this.#inTurn(async () => {
			const opened = await this.#boxes();
			return opened.ok ? succeed(undefined) : opened;
		});
	}

	/** All secrets, by name; possible while the vault is locked. */
	async list(): Promise<SecretInfo[]> {
		const rows = await this.#options.rows.list();
		return rows.map(({ key_id: _, sealed: _sealed, ...info }) => info);
	}

	/** The value for a person: their own, else that of their tenant, else everybody's. */
	async get(
		name: string,
		{ owner, server }: { readonly owner: ValueOwner; readonly server: string },
	): Promise<Result<string, ValueProblem>> {
		const { rows, clock } = this.#options;
		for (const scope of scopesOf(owner)) {
			const row = await rows.get(scope, name);
			if (row === undefined) continue;
			const value = await this.#open(row);
			if (value.ok) this.#note(row, server, clock.now());
			return value;
		}
		return fail({
			message: `There is no secret \`${name}\`${whose(owner)}.`,
			next: `Store it: \`moorage secret set ${name}\`.`,
		});
	}

	/**
	 * Stores a value, in the place of the one of its name and scope if there is one.
	 * @param expected asked with the tag of the value that there is then (`secretTag`), undefined
	 *   where there is none; nothing is stored, and the problem is `changed`, where it says no
	 */
	async set(
		name: string,
		scope: SecretScope,
		value: string,
		expected?: (tag: string | undefined) => boolean,
	): Promise<Result<void, NotStored>> {
		const wrong = wrongName(name, scope) ?? wrongValue(value);
		if (wrong !== undefined) return fail(wrong);
		const { rows, clock } = this.#options;
		return this.#inTurn(async () => {
			const before = await rows.get(scope, name);
			if (expected?.(before && secretTag(before)) === false) return fail(changed);
			if (before === undefined && (await rows.list()).length >= secrets_max) {
				const message = `The vault holds ${secrets_max} values, which is as many as it may.`;
				return fail({ message, next: "Remove what nobody uses: `moorage secret ls`." });
			}
			const now_ms = clock.now();
			for (;;) {
				const boxes = await this.#boxes();
				if (!boxes.ok) return boxes;
				const box = boxes.value.get(this.#current) as SecretBox;
				await rows.put({
					...scope,
					name,
					key_id: this.#current,
					sealed: box.seal(value, about(scope, name)),
					created_at_ms: before?.created_at_ms ?? now_ms,
					// It is what a value is told from the one before by: two of one moment differ, too.
					changed_at_ms: Math.max(now_ms, (before?.changed_at_ms ?? 0) + 1),
					used_at_ms: before?.used_at_ms,
					used_by: before?.used_by,
				});
				// Another process may have taken another master key, and removed the key of before.
				if ((await rows.keys()).some(({ id }) => id === this.#current)) return succeed(undefined);
				this.#keys = undefined;
			}
		});
	}

	/** False where there was no such secret. */
	remove(name: string, scope: SecretScope): Promise<boolean> {
		return this.#inTurn(() => this.#options.rows.remove(scope, name));
	}

	/** Every value there is, for whoever redacts; those that cannot be read are left out. */
	async values(): Promise<string[]> {
		const rows = await this.#options.rows.list();
		const opened = await Promise.all(rows.map((row) => this.#open(row)));
		return opened.flatMap((value) => (value.ok ? [value.value] : []));
	}

	/** Names of secrets whose stored value cannot be read although the vault is open. */
	async damaged(): Promise<string[]> {
		if (!(await this.open()).ok) return [];
		const rows = await this.#options.rows.list();
		const opened = await Promise.all(
			rows.map(async (row) => [row, await this.#open(row)] as const),
		);
		return opened.flatMap(([row, value]) => (value.ok ? [] : [row.name]));
	}

	/**
	 * Takes another master key: the given one, or a new one where Moorage keeps the key itself. A
	 * new data key comes with it, with which all values are sealed anew. They stay readable all the
	 * while, and whatever is interrupted leaves the one or the other key in force, never none; values
	 * that were not sealed anew yet are so when the vault is opened next.
	 */
	rotateMaster(given: MasterKey | undefined): Promise<Result<{ id: string }, ValueProblem>> {
		return this.#inTurn(async () => {
			const { rows, master, random } = this.#options;
			if (given === undefined && master.prepare === undefined) {
				return fail({
					message: `Moorage cannot change the master key in ${master.place}.`,
					next: "Give it the new key: `openssl rand -base64 32 | moorage secret rotate --master`.",
				});
			}
			const boxes = await this.#boxes();
			if (!boxes.ok) return boxes;
			const next = given ?? drawMasterKey(random);
			const prepared = (await master.prepare?.(next)) ?? succeed(undefined);
			if (!prepared.ok) return prepared;
			const old = this.#master as MasterKey;
			const stored = await rows.keys();
			const resealed: DataKeyRow[] = [];
			for (const row of stored) {
				const key = openKey(row, old, random);
				if (key === undefined) return fail(damagedKey(row.id));
				resealed.push(sealKey(row, key, next, random));
			}
			const added = this.#drawKey(next, stored.at(-1));
			await rows.replaceKeys([...resealed, added.row]);
			this.#master = next;
			boxes.value.set(added.row.id, new SecretBox(added.key, random));
			this.#current = added.row.id;
			const finished = (await master.finish?.(next)) ?? succeed(undefined);
			try {
				await this.#resealAll(boxes.value);
			} catch (error) {
				return fail({
					message: `The master key ${next.id} is in force, but not every value is sealed anew yet.`,
					next: "Keep the new key. See that the disk has room, and restart Moorage: it goes on then.",
					detail: String(error),
				});
			}
			return finished.ok ? succeed({ id: next.id }) : finished;
		});
	}

	/** Seals every value with the current data key, and removes keys that are of no use any more. */
	async #resealAll(boxes: ReadonlyMap<string, SecretBox>): Promise<void> {
		const { rows } = this.#options;
		const box = boxes.get(this.#current) as SecretBox;
		for (const row of await rows.list()) {
			if (row.key_id === this.#current) continue;
			const bound_to = about(row, row.name);
			const value = boxes.get(row.key_id)?.open(row.sealed, bound_to);
			// One that is damaged stays as it is, and so does its key.
			if (value === undefined) continue;
			await rows.reseal(
				{ ...row, key_id: this.#current, sealed: box.seal(value, bound_to) },
				row.sealed,
			);
		}
		// They are still known here: somebody may have read a row before it was sealed anew.
		await rows.removeUnusedKeys([...boxes.keys()].filter((id) => id !== this.#current));
	}

	/** A new data key, sealed with a master key; the one that is the last of all from now on. */
	#drawKey(master: MasterKey, last: DataKeyRow | undefined) {
		const { random, clock } = this.#options;
		const id = random.bytes(6).toString("base64url");
		const key = random.bytes(box_key_bytes);
		const created_at_ms = Math.max(clock.now(), (last?.created_at_ms ?? 0) + 1);
		return {
			key,
			row: sealKey({ id, master_id: "", sealed: "", created_at_ms }, key, master, random),
		};
	}

	async #open(found: SecretRow): Promise<Result<string, ValueProblem>> {
		let row = found;
		const boxes = await this.#inTurn(async () => {
			const known = await this.#boxes();
			if (!known.ok || known.value.has(row.key_id)) return known;
			// Another process has taken another master key meanwhile.
			this.#keys = undefined;
			row = (await this.#options.rows.get(row, row.name)) ?? row;
			return this.#boxes();
		});
		if (!boxes.ok) return boxes;
		const value = boxes.value.get(row.key_id)?.open(row.sealed, about(row, row.name));
		if (value !== undefined) return succeed(value);
		return fail({
			message: `The stored value of the secret \`${row.name}\` is damaged.`,
			next: `Store it again: \`moorage secret set ${row.name}\`.`,
		});
	}

	/** The opened data keys; the first one is made when it is needed. */
	async #boxes(): Promise<Result<Map<string, SecretBox>, ValueProblem>> {
		if (this.#keys !== undefined) return succeed(this.#keys);
		const { rows, master, random } = this.#options;
		const stored = await rows.keys();
		const wanted = stored[0]?.master_id;
		const loaded = await master.load(wanted);
		if (!loaded.ok) return loaded;
		if (wanted !== undefined && loaded.value.id !== wanted) {
			return fail({
				message: `${upper(master.place)} holds another master key than the vault was sealed with.`,
				next: `Give it the key with the id ${wanted}; this one is ${loaded.value.id}.`,
			});
		}
		const keys = new Map<string, SecretBox>();
		for (const row of stored) {
			const key = openKey(row, loaded.value, random);
			if (key === undefined) return fail(damagedKey(row.id));
			keys.set(row.id, new SecretBox(key, random));
			this.#current = row.id;
		}
		if (keys.size === 0) {
			const { key, row } = this.#drawKey(loaded.value, undefined);
			await rows.addKey(row);
			keys.set(row.id, new SecretBox(key, random));
			this.#current = row.id;
		}
		this.#master = loaded.value;
		this.#keys = keys;
		// What an interrupted rotation has left. What cannot be written now can be read all the same.
		if (keys.size > 1) await this.#resealAll(keys).catch(() => undefined);
		return succeed(keys);
	}

	#note(row: SecretRow, server: string, now_ms: number): void {
		const key = about(row, row.name);
		if (now_ms - (this.#noted.get(key) ?? 0) < use_noted_ms) return;
		this.#noted.set(key, now_ms);
		// What is lost here is the time of a use; the next one is noted again.
		this.#options.rows.used(row, row.name, now_ms, server).catch(() => this.#noted.delete(key));
	}

	#inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
		const done = this.#turn.then(work);
		this.#turn = done.catch(() => undefined);
		return done;
	}
}

/** The scopes whose value a person gets, the nearest first. */
function scopesOf({ tenant = "", user = "" }: ValueOwner): SecretScope[] {
	const all = [{ tenant: "", user: "" }];
	if (tenant !== "") all.unshift({ tenant, user: "" });
	if (user !== "") all.unshift({ tenant, user });
	return all;
}

/** Bound to each value, so that one row cannot be put in the place of another. */
function about({ tenant, user }: SecretScope, name: string): string {
	return `secret\0${tenant}\0${user}\0${name}`;
}

function openKey(row: DataKeyRow, master: MasterKey, random: Random): Buffer | undefined {
	const text = new SecretBox(master.bytes, random).open(row.sealed, `data key\0${row.id}`);
	const bytes = text === undefined ? undefined : Buffer.from(text, "base64url");
	return bytes?.length === box_key_bytes ? bytes : undefined;
}

function sealKey(row: DataKeyRow, key: Buffer, master: MasterKey, random: Random): DataKeyRow {
	const box = new SecretBox(master.bytes, random);
	const sealed = box.seal(key.toString("base64url"), `data key\0${row.id}`);
	return { ...row, master_id: master.id, sealed };
}

function damagedKey(id: string): ValueProblem {
	return {
		message: `The key ${id} of the vault is damaged: what is sealed with it cannot be read.`,
		next: "Restore the data folder from a backup.",
	};
}

function wrongName(name: string, { tenant, user }: SecretScope): ValueProblem | undefined {
	if (!secret_name.test(name)) {
		return {
			message: "This is not the name of a secret.",
			next: "Use letters, digits, `.`, `_` and `-`; at most 128 of them.",
		};
	}
	const parts = [tenant, user].filter((part) => part !== "");
	if (parts.every((part) => scope_part.test(part)) && (user === "" || tenant !== ""))
		return undefined;
	return {
		message: "This is not a tenant, or not a person of one.",
		next: "Give the tenant and the user as in the principal `tenant/user`.",
	};
}

function wrongValue(value: string): ValueProblem | undefined {
	const bytes = Buffer.byteLength(value);
	if (bytes < value_bytes_min) {
		return {
			message: `The value has fewer than ${value_bytes_min} bytes.`,
			next: "So short a value could not be kept out of logs: use a longer one.",
		};
	}
	if (bytes > value_bytes_max) {
		const next = "Keep it in a file, and refer to that with `${file:PATH}`.";
		return { message: `The value has more than ${value_bytes_max} bytes.`, next };
	}
	if (!value.includes("\0")) return undefined;
	return { message: "The value holds a NUL character.", next: "Remove it." };
}

function whose({ tenant, user }: ValueOwner): string {
	if (user !== undefined && user !== "") return ` for ${tenant}/${user}, their tenant or everybody`;
	return tenant === undefined || tenant === "" ? "" : ` for the tenant ${tenant} or everybody`;
}

function upper(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
