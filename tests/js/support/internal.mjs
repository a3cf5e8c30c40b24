// The sources of the package, for tests of what no export shows: the package itself is bundled.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Imports a file of pkg/src. */
export const internal = (path) => import(pathToFileURL(join(process.env.PAGEVEC_ROOT, "pkg/src", path)));
