// Stores to a device's registers in memory, by physical address: JavaScript's body, for tests. AssemblyScript's body
// is device-memory.as.ts, behind which the floor maps the page. Whoever drives such a device runs natively only.

/** What stands behind such addresses. */
export interface DeviceMemory {
  store(address: number, value: number, bytes: number): void;
}

let behind: DeviceMemory = { store() {} };

export function attachDeviceMemory(memory: DeviceMemory): void {
  behind = memory;
}

export function store16(address: i32, value: i32): void {
  behind.store(address, value, 2);
}

export function store32(address: i32, value: i32): void {
  behind.store(address, value, 4);
}
