import type { z } from "zod";

type Frozen<Value> = Value extends readonly (infer Item)[]
	? readonly Frozen<Item>[]
	: Value extends object
		? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
		: Value;
/** What a schema describes, for readers: nothing that is handed over is changed afterwards. */
export type Shape<Schema extends z.ZodType> = Frozen<z.infer<Schema>>;
