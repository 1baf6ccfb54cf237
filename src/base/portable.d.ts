// The number types of the portable subset, for TypeScript's checker. AssemblyScript has them built in.
// In the subset every integer is an i32: addresses compare with `===`, times by signed difference.
declare type i32 = number;
