// v8.js: one benchmark program in Node's V8, warm: node v8.js FILE N RUNS WARM_RUNS
// Prints {"checksum": ..., "ns": [...]}, CPU time of each run; warm runs come first, uncounted, so
// that the optimizing compiler is done.
"use strict";

const fs = require("fs");

const [file, n, runs, warm] = process.argv.slice(2);
const module_ = new WebAssembly.Module(fs.readFileSync(file));
const { run } = new WebAssembly.Instance(module_, {}).exports;
let checksum = 0;
for (let i = 0; i < Number(warm); i++)
    checksum = run(Number(n)) >>> 0;
const ns = [];
for (let i = 0; i < Number(runs); i++) {
    const before = process.cpuUsage();
    checksum = run(Number(n)) >>> 0;
    const used = process.cpuUsage(before);
    ns.push((used.user + used.system) * 1000);
}
console.log(JSON.stringify({ checksum, ns, version: process.versions.v8 }));
