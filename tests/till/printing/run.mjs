/** Prints on made-up printers: `node run.mjs CASE`; one JSON object with what came of it. */
import * as cases from "./cases.mjs";

const run = cases[process.argv[2]];
console.log(JSON.stringify(await run(...process.argv.slice(3))));
