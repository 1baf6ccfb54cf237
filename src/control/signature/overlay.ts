// The overlay `signature`: the arithmetic behind an update's signature, wanted for its first kilobyte alone.
// Not here: what is signed, and by whom it must be (../update/signature.ts).

export { verify } from './ed25519.ts';
