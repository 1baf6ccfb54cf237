// Stores to a device's registers, AssemblyScript's body of device-memory.ts: imports that the floor defines.
// @ts-ignore: decorator
@external("port", "store16") export declare function store16(address: i32, value: i32): void;
// @ts-ignore: decorator
@external("port", "store32") export declare function store32(address: i32, value: i32): void;
