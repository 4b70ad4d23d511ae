/** Read addresses of scan pages under Node: `node claims.mjs QUERIES`, prints what each one claims. */
import { readFileSync } from "node:fs";
import { claimOf } from "../../static/scan/shown.js";

const queries = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(queries.map(claimOf)));
