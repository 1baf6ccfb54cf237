// The overlay `transfer`: an update's image from the line to the slot that does not run.
// Not here: whether there may be an update, and the reset behind it (../update/overlay.ts); the blocks on the line
// (receiver.ts), the order of the sectors (../core/slots/writer.ts).

import type { Disk } from '../../../hal/disk/disk.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { same, slotName } from '../core/slots/header.ts';
import { keyOf, keyText } from '../core/slots/key.ts';
import { olderThan } from '../core/slots/signature.ts';
import { idleSlot, runningSlot } from '../core/slots/slots.ts';
import { SlotWriter, type Trust } from '../core/slots/writer.ts';
import { Receiver, type TransferEvent } from './receiver.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    transfer: typeof import('./overlay.ts');
  }
}

/** Receives an image and writes it; says what has come. `own` is the header of the firmware that runs. */
export function* transfer(
  context: Context,
  disk: Disk,
  own: Uint8Array,
  trust: Trust,
): Generator<number, void, void> {
  const { output, machine } = context;
  const writer = new SlotWriter(machine, disk, idleSlot(), own, trust);
  output.line('Send the image by YMODEM, or by XMODEM with blocks of 1 KB; ^C cancels');
  while (output.busy) yield 0;
  const why = yield* receive(context, writer);
  output.line(''); // behind what was said to the sender
  if (why !== undefined) {
    const then = writer.isUnsure
      ? `the next start may find either slot in force`
      : `${slotName(runningSlot())} stays in force`;
    throw new Refusal(`Cannot update: ${why}; ${then}`);
  }
  const older = olderThan(own, writer.header);
  if (older !== undefined) output.line(`Masqbox ${writer.version} is ${older}`);
  if (!same(keyOf(own), keyOf(writer.header))) {
    output.line(`Further updates must be signed by ${keyText(writer.header)}`);
  }
  output.line(
    `Masqbox ${writer.version} is in ${slotName(idleSlot())} and starts on trial; ^C leaves that to the next reboot`,
  );
}

/** Receives a file for `writer`: answers why that failed, or undefined. */
function* receive(context: Context, writer: SlotWriter): Generator<number, string | undefined, void> {
  const { clock, output, rawLine } = context;
  if (rawLine === undefined) return 'there is no line to receive from';
  const receiver = new Receiver(output.write, clock.now());
  rawLine.take(bytes => receiver.feed(bytes, clock.now()));
  try {
    for (;;) {
      const { event } = receiver;
      if (event?.kind === 'done') return event.why;
      if (event === undefined) {
        yield Math.max(1, receiver.work(clock.now()));
        continue;
      }
      const why = yield* write(event, writer);
      if (why === undefined) receiver.accept(clock.now());
      else receiver.cancel(why, clock.now());
    }
  } finally {
    rawLine.giveBack();
  }
}

function* write(event: TransferEvent, writer: SlotWriter): Generator<number, string | undefined, void> {
  if (event.kind === 'data') return yield* writer.take(event.bytes);
  if (event.kind === 'end') return yield* writer.finish();
  return undefined;
}
