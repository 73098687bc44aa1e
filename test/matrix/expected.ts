/** Names that the servers of the matrix and the features agree on. */

/** An extension that neither SDK and nothing in the gateway knows. */
export const extension_name = "com.example/things";

/** The Tasks extension (SEP-2663). */
export const tasks_extension = "io.modelcontextprotocol/tasks";

/** The resource that `touch` changes. */
export const watched_uri = "matrix://watched";
