/** Run what a phone makes of answers under Node: `node answers.mjs VECTORS`, prints their outcomes. */
import { readFileSync } from "node:fs";
import { judge } from "../../static/scan/judge.js";

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(cases.map(judge)));
