// The registers and commands of a PC's floppy controller, in the data sheets' names: NEC uPD765A (the chip of the PC and
// AT), Intel 82077AA (290166), sections 2 (registers), 5 (commands), 6 (status registers). Only what both have. And
// channel 2 of the first Intel 8237A, which moves its data, with its page register, at the ports of the AT.

// --- ports of the controller ----------------------------------------------------------------------------------
/** Digital Output Register. */
export const DOR = 0x3f2;
/** Main Status Register. */
export const MSR = 0x3f4;
export const FIFO = 0x3f5;
/** Read: Digital Input Register; written: Configuration Control Register. The other bits read are the disk's. */
export const DIR = 0x3f7;
export const CCR = 0x3f7;
/** The first port, and how many. */
export const FLOPPY_PORT = 0x3f0;
export const FLOPPY_PORTS = 6;

// --- DOR: drive select in bits 1 and 0 ------------------------------------------------------------------------
/** 0 holds the controller in reset. */
export const DOR_NOT_RESET = 0x04;
/** Lets DMA and interrupt requests out. */
export const DOR_DMA_GATE = 0x08;
export const DOR_MOTOR_A = 0x10;

// --- MSR -------------------------------------------------------------------------------------------------------
/** The FIFO wants a byte, or has one. */
export const RQM = 0x80;
/** It has one. */
export const DIO = 0x40;
/** A command is under way. */
export const CB = 0x10;

// --- DIR, CCR --------------------------------------------------------------------------------------------------
/** The floppy was taken out since the last step of the head. */
export const DSKCHG = 0x80;
/** 500 kb/s. */
export const CCR_500K = 0x00;

// --- commands ----------------------------------------------------------------------------------------------------
export const SPECIFY = 0x03;
/** WRITE DATA and READ DATA with MFM. */
export const WRITE_DATA = 0x45;
export const READ_DATA = 0x46;
export const RECALIBRATE = 0x07;
export const SENSE_INTERRUPT_STATUS = 0x08;
export const SEEK = 0x0f;
/** Bytes of 512 in a sector: N. The last sector of a track: EOT. Gap 3 and DTL, as a PC's BIOS has them for 1.44 MB. */
export const N_512 = 2;
export const GPL_1440K = 0x1b;
export const DTL = 0xff;
/** Of SPECIFY, as a PC's BIOS has them for 1.44 MB: SRT 6 ms and HUT 240 ms; HLT 2 ms, with DMA. */
export const SRT_HUT = 0xaf;
export const HLT_ND = 0x02;
export const STEP_MILLISECONDS = 6;

// --- ST0 ---------------------------------------------------------------------------------------------------------
/** Interrupt code: 0 is a normal end. */
export const ST0_IC = 0xc0;
export const ST0_ABNORMAL = 0x40;
/** The whole of ST0 where SENSE INTERRUPT STATUS finds none. */
export const ST0_INVALID = 0x80;
/** After a reset, as the controller looks at each drive; bits 1 and 0 are the drive. */
export const ST0_POLLING = 0xc0;
export const ST0_SEEK_END = 0x20;
/** Equipment check: no track 0 after 79 steps. */
export const ST0_EC = 0x10;
export const ST0_NR = 0x08;

// --- ST1, ST2 ----------------------------------------------------------------------------------------------------
/** End of cylinder: nobody said that it was enough. */
export const ST1_EN = 0x80;
/** Data error: a CRC. */
export const ST1_DE = 0x20;
/** Overrun. */
export const ST1_OR = 0x10;
/** No data: the sector is not there. */
export const ST1_ND = 0x04;
/** Not writable. */
export const ST1_NW = 0x02;
/** Missing address mark. */
export const ST1_MA = 0x01;
/** The track has another cylinder's number. */
export const ST2_WC = 0x10;

// --- 8237A, channel 2 --------------------------------------------------------------------------------------------
export const DMA_ADDRESS = 0x04;
/** The count less one. */
export const DMA_COUNT = 0x05;
export const DMA_MASK = 0x0a;
export const DMA_MODE = 0x0b;
/** Any value: the next byte to address or count is the low one. */
export const DMA_CLEAR_FLIPFLOP = 0x0c;
export const DMA_PAGE = 0x81;
export const DMA_CHANNEL = 2;
/** In DMA_MASK, with the channel: no requests. */
export const DMA_MASKED = 0x04;
/** In DMA_MODE, with the channel: single transfers to memory, and from it. */
export const DMA_TO_MEMORY = 0x44;
export const DMA_FROM_MEMORY = 0x48;
/** The page register stands still while addresses count. */
export const DMA_PAGE_BYTES = 0x10000;
