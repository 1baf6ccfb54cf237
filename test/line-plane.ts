// What serial links have of the plane (src/plane/link/hdlc.ts, slip.ts, vj.ts, lcp-echo.ts), as an entry of its own: no board calls it yet, so it is no part of
// firmware/plane.ts, and its tests run both builds of this one (line-lab.ts).

export { lineGive, lineReset, lineRing } from '../src/base/line-record.ts';
export { fcsTable, hdlcAbort, hdlcReceive, hdlcSend, hdlcStart } from '../src/plane/link/hdlc.ts';
export { echoReply } from '../src/plane/link/lcp-echo.ts';
export { slipReceive, slipSend, slipStart } from '../src/plane/link/slip.ts';
export { vjCompress, vjReset, vjToss, vjUncompress, vjWhole } from '../src/plane/link/vj.ts';
