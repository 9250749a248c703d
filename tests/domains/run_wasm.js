// run_wasm.js: runs the job of one wasm component in the place of a kernel, as run_native.c does.
'use strict';
const fs = require('fs');

const [path, ...words] = process.argv.slice(2);
const PACK = 56, TURN = 48, JOB_RUN = 6 << 16 | 1, LOG_CAP = 5n, NOT_WIRED = -15, INVALID = -22;
let wasm = null;

const view = () => new DataView(wasm.memory.buffer);
const bytes = (at, len) => new Uint8Array(wasm.memory.buffer, at, len);
const text = (at, len) => Buffer.from(bytes(at, len)).toString();

function need(name, len, ret) {
    if (text(name, len) !== 'log')
        return NOT_WIRED;
    view().setBigUint64(ret, LOG_CAP, true);
    return 0;
}

function send(to, method, pack, flags) {
    if (to !== LOG_CAP || method !== (5 << 16 | 1) || flags !== 0)
        return INVALID;
    if (view().getUint32(pack + 4, true) !== 0)
        throw new Error('the upper half of a pointer is not 0');
    const at = view().getUint32(pack, true);
    const off = view().getUint32(at + 4, true), len = view().getUint32(at + 8, true);
    console.log(`log ${view().getUint8(at)}: ${text(at + off, len)}`);
    return 0;
}

function texts() {
    const parts = words.flatMap((word) => {
        const body = Buffer.from(word), head = Buffer.alloc(4);
        head.writeUInt32LE(body.length);
        return [head, body, Buffer.alloc(-body.length & 3)];
    });
    return Buffer.concat(parts);
}

function setPack(at, data, len, size) {
    view().setBigUint64(at, BigInt(data), true);
    view().setUint32(at + 8, len, true);
    view().setUint32(at + 12, size, true);
}

const module_ = new WebAssembly.Module(fs.readFileSync(path));
for (const i of WebAssembly.Module.imports(module_))
    if (i.module !== 'tenon_0' || i.kind !== 'function')
        throw new Error(`import ${i.module}.${i.name}`);
wasm = new WebAssembly.Instance(module_, {tenon_0: {tn_need: need, tn_send: send}}).exports;

// struct tn_component in wasm32: abi, size, state_size, state_version, then handlers: table indices
const component = wasm.tn_component.value;
const field = (i) => view().getUint32(component + 4 * i, true);
const handler = (i) => field(i) === 0 ? null : wasm.__indirect_function_table.get(field(i));
const stateBytes = field(2), start = handler(5), call = handler(6);
let next = wasm.memory.buffer.byteLength;
wasm.memory.grow(2 + Math.ceil((stateBytes + 4096) / 65536));
const take = (n) => (next += n + 15 & ~15) - (n + 15 & ~15);

const self = take(stateBytes), turn = take(TURN), input = take(PACK), output = take(PACK);
const list = texts(), args = take(8 + list.length), reply = take(65536);
view().setUint32(turn + 32, JOB_RUN, true);
view().setUint32(args, 8, true);
view().setUint32(args + 4, list.length, true);
bytes(args + 8, list.length).set(list);
setPack(input, args, 8 + list.length, 0);
setPack(output, reply, 0, 65536);
let err = start === null ? 0 : start(self, turn);
err = err || call(self, turn, input, output);
if (err !== 0) {
    console.error(`run_wasm: error ${err}`);
    process.exit(2);
}
const off = view().getUint32(reply + 4, true), len = view().getUint32(reply + 8, true);
console.log(text(reply + off, len));
process.exit(view().getUint32(reply, true));
