import {
	closeSync,
	constants,
	fdatasyncSync,
	fsyncSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	readSync,
	renameSync,
	rmSync,
	statSync,
	writeSync,
} from "node:fs";

/** What the audit log does to a disk, so that a test can hand in one that fails. Errors throw. */
export interface Disk {
	mkdir(path: string): void;
	/** The names in a folder. */
	list(path: string): string[];
	read(path: string): Buffer;
	/** At most the first so many bytes. */
	readStart(path: string, bytes_max: number): Buffer;
	/** Undefined where there is no such file. */
	readIfThere(path: string): Buffer | undefined;
	size(path: string): number;
	/** Opens for appending; made with mode 0600 where it is not there. */
	open(path: string): number;
	/** Opens for writing anywhere in it; made with mode 0600 where it is not there. */
	openInPlace(path: string): number;
	/** Writes all of it. */
	write(file: number, bytes: Buffer): void;
	/** Writes all of it from a place on. */
	writeAt(file: number, bytes: Buffer, position: number): void;
	/** Puts what was written onto the disk. */
	sync(file: number): void;
	truncate(file: number, length_bytes: number): void;
	close(file: number): void;
	/** Writes a file whole in the place of another; on the disk when it returns. */
	replace(path: string, text: string | Buffer): void;
	remove(path: string): void;
	/** Puts a folder's names onto the disk. */
	syncFolder(path: string): void;
}

/** The machine's own disk. */
export const system_disk: Disk = {
	mkdir: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
	list: (path) => readdirSync(path),
	read: (path) => readFileSync(path),
	readStart(path, bytes_max) {
		const file = openSync(path, "r");
		try {
			const bytes = Buffer.alloc(bytes_max);
			return bytes.subarray(0, readSync(file, bytes));
		} finally {
			closeSync(file);
		}
	},
	readIfThere(path) {
		try {
			return readFileSync(path);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
			throw error;
		}
	},
	size: (path) => statSync(path).size,
	open: (path) => openSync(path, "a", 0o600),
	openInPlace: (path) => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600),
	write(file, bytes) {
		let start = 0;
		while (start < bytes.length) start += writeSync(file, bytes, start);
	},
	writeAt(file, bytes, position) {
		let start = 0;
		while (start < bytes.length) {
			start += writeSync(file, bytes, start, bytes.length - start, position + start);
		}
	},
	sync: (file) => fdatasyncSync(file),
	truncate: (file, length_bytes) => ftruncateSync(file, length_bytes),
	close: (file) => closeSync(file),
	replace(path, text) {
		const draft = `${path}.new`;
		rmSync(draft, { force: true });
		const file = openSync(draft, "wx", 0o600);
		try {
			system_disk.write(file, Buffer.from(text as string));
			fsyncSync(file);
		} finally {
			closeSync(file);
		}
		renameSync(draft, path);
	},
	remove: (path) => rmSync(path, { force: true }),
	syncFolder(path) {
		// Windows keeps names without being asked, and opens no folders.
		if (process.platform === "win32") return;
		const file = openSync(path, "r");
		try {
			fsyncSync(file);
		} finally {
			closeSync(file);
		}
	},
};
