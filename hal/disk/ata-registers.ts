// The registers and commands of an ATA device in PIO mode, in the standard's names: ATA/ATAPI-4 (T13/1153D),
// section 7 (interface register definitions) and section 8 (commands). Offsets of the command block.

// --- command block ---------------------------------------------------------------------------------------
export const DATA = 0;
/** Read: Error; written: Features. */
export const ERROR = 1;
export const FEATURES = 1;
export const SECTOR_COUNT = 2;
/** LBA 7..0, or the sector, from 1. */
export const SECTOR_NUMBER = 3;
/** LBA 15..8, or the cylinder's low byte. */
export const CYLINDER_LOW = 4;
export const CYLINDER_HIGH = 5;
/** 1 L 1 DEV, then LBA 27..24 or the head. */
export const DEVICE_HEAD = 6;
/** Read: Status, which also takes back the interrupt; written: Command. */
export const STATUS = 7;
export const COMMAND = 7;
export const COMMAND_BLOCK_PORTS = 8;
// The control block is one port: read Alternate Status, written Device Control.

// --- Status ---------------------------------------------------------------------------------------------------
export const BSY = 0x80;
export const DRDY = 0x40;
export const DF = 0x20;
export const DRQ = 0x08;
export const ERR = 0x01;

// --- Error ------------------------------------------------------------------------------------------------------
export const UNC = 0x40;
export const IDNF = 0x10;
export const ABRT = 0x04;

// --- Device Control -----------------------------------------------------------------------------------------------
export const SRST = 0x04;
/** The device asks for no interrupts: it is polled. */
export const NIEN = 0x02;

// --- Device/Head ----------------------------------------------------------------------------------------------------
/** Bits 7 and 5 are obsolete and 1, as older devices want them. */
export const DEVICE_OBSOLETE = 0xa0;
export const DEVICE_LBA = 0x40;
export const DEVICE_1 = 0x10;

// --- commands ---------------------------------------------------------------------------------------------------------
export const READ_SECTORS = 0x20;
export const WRITE_SECTORS = 0x30;
export const INITIALIZE_DEVICE_PARAMETERS = 0x91;
export const FLUSH_CACHE = 0xe7;
export const IDENTIFY_DEVICE = 0xec;
export const SET_FEATURES = 0xef;
/** In Features, of SET FEATURES: what is written is on the medium when the command ends. */
export const DISABLE_WRITE_CACHE = 0x82;

// --- words of IDENTIFY DEVICE (8.12) --------------------------------------------------------------------------------------
/** Cylinders, heads, sectors a track: of the default translation, and of the one in force if bit 0 of ID_VALID says so. */
export const ID_DEFAULT = [1, 3, 6];
export const ID_CURRENT = [54, 55, 56];
export const ID_VALID = 53;
export const ID_MODEL = 27;
export const ID_MODEL_WORDS = 20;
/** Bit 9: LBA. */
export const ID_CAPABILITIES = 49;
export const ID_LBA = 1 << 9;
/** The sectors that LBA reaches, the low word first. */
export const ID_LBA_SECTORS = 60;
/** Bits 15 and 14 are 01 when the word is valid; bit 12: FLUSH CACHE. */
export const ID_COMMANDS = 83;
export const ID_COMMANDS_VALID = 0xc000;
export const ID_COMMANDS_MARK = 0x4000;
export const ID_FLUSH_CACHE = 1 << 12;
