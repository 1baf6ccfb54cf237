// The overlay `signature`: the arithmetic behind an update's signature, wanted for its first kilobyte alone.
// Not here: what is signed, and by whom it must be (../core/slots/signature.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    signature: typeof import('./overlay.ts');
  }
}

export { verify } from './ed25519.ts';
