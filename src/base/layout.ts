// The layout of the flash and of low memory while the board boots: sectors, the slot header, the header of
// a saved configuration, and the boot information that the loader hands to the kernel. One source for the
// loader, the image writer, flash.sh's test and the control's store; the build makes a C header from it.
//
// Numbers in records are 32-bit, little-endian; offsets are in bytes. Portable subset: constants only.
// Records as bytes, for Node: image/records.ts.
//
//     sector     0  boot sector (a partition table in it, so that every BIOS and card reader is content)
//        1 ..   62  loader
//       63 ..   94  configuration 0
//       95 ..  126  configuration 1
//      127 ..  191  log
//      192 .. 2879  slot A: header, packed kernel, packed snapshot; of it
//     2686 .. 2782  configuration 0, what is beyond 32 sectors
//     2783 .. 2879  configuration 1, the same
//     2880 .. 5567  slot B: only on media larger than a floppy, whose updates are written elsewhere
//
// A configuration had 32 sectors once. A longer one goes on at the end of slot A, where no firmware has ever been, so that
// a card of then has room for one too, and firmware of then reads what fits where it looks.
//
// An image ends with slot A, so that it is a 1.44 MB floppy. What an older image left in slot B of the same
// card is told by the medium number: the image's boot sector and its slots have the same one.

export const SECTOR_BYTES: i32 = 512;
/** An image, and a 1.44 MB floppy: 80 cylinders, 2 heads, 18 sectors. */
export const IMAGE_SECTORS: i32 = 2880;
export const FLOPPY_HEADS: i32 = 2;
export const FLOPPY_TRACK_SECTORS: i32 = 18;

export const LOADER_SECTOR: i32 = 1;
/** The first track of a disk with 63 sectors a track holds boot sector and loader. */
export const LOADER_SECTORS: i32 = 62;
/** What the 16-bit words of the loader and this add up to 0 with: a read that brings zeros is no loader. */
export const LOADER_SUM: i32 = 0x514d;
export const CONFIG_COUNT: i32 = 2;
export const CONFIG_SECTOR: i32 = LOADER_SECTOR + LOADER_SECTORS;
/** Of a configuration, those that lie here, and those that lie at the end of slot A. */
export const CONFIG_SECTORS: i32 = 32;
export const CONFIG_MORE_SECTORS: i32 = 97;
export const LOG_SECTOR: i32 = CONFIG_SECTOR + CONFIG_COUNT * CONFIG_SECTORS;
/** As many as bring the slots to a multiple of 8 sectors, the page of most cards. */
export const LOG_SECTORS: i32 = 65;
export const SLOT_COUNT: i32 = 2;
export const SLOT_SECTOR: i32 = LOG_SECTOR + LOG_SECTORS;
export const SLOT_SECTORS: i32 = IMAGE_SECTORS - SLOT_SECTOR;
export const CONFIG_MORE_SECTOR: i32 = IMAGE_SECTORS - CONFIG_COUNT * CONFIG_MORE_SECTORS;
/** A medium that has room for both slots. */
export const MEDIUM_SECTORS: i32 = SLOT_SECTOR + SLOT_COUNT * SLOT_SECTORS;
/** Where the boot sector has the medium number: the place of a PC's disk signature. */
export const BOOT_SECTOR_AT_MEDIUM: i32 = 440;

// --- slot header: the slot's first sector ----------------------------------------------------------------
/** "MQSL" */
export const SLOT_MAGIC: i32 = 0x4c53514d;
/** 2: kernel and snapshot are LZ4 blocks; 1 was raw deflate. */
export const SLOT_FORMAT: i32 = 2;
export const SLOT_AT_MAGIC: i32 = 0;
export const SLOT_AT_FORMAT: i32 = 4;
/** The newer slot has the higher sequence, by signed difference. */
export const SLOT_AT_SEQUENCE: i32 = 8;
/** Boots left in which the slot must prove itself, or SLOT_CONFIRMED. At 0 it has failed. */
export const SLOT_AT_TRIES: i32 = 12;
export const SLOT_AT_KERNEL_PACKED: i32 = 16;
export const SLOT_AT_KERNEL_BYTES: i32 = 20;
export const SLOT_AT_SNAPSHOT_PACKED: i32 = 24;
export const SLOT_AT_SNAPSHOT_BYTES: i32 = 28;
/** Where the kernel goes, which is also its entry. */
export const SLOT_AT_LOAD_ADDRESS: i32 = 32;
export const SLOT_AT_BOARD: i32 = 36;
/** CRC-32 of the payload: packed kernel, zeros to a multiple of 4, packed snapshot. */
export const SLOT_AT_PAYLOAD_CRC: i32 = 40;
/** The medium number of the boot sector on whose medium the slot was written. */
export const SLOT_AT_MEDIUM: i32 = 44;
/** The firmware's version: ASCII, filled up with zeros. */
export const SLOT_AT_VERSION: i32 = 48;
export const SLOT_VERSION_BYTES: i32 = 32;
/** When it was built, as far as that can be the same for everybody: the commit's date in Unix seconds; 0 is unknown. */
export const SLOT_AT_BUILT: i32 = 80;
// 84 to 95 are zeros, for what comes to be signed.
/** The public key of Ed25519 by which a board that runs this firmware knows the next; zeros in unsigned firmware. */
export const SLOT_AT_KEY: i32 = 96;
export const SLOT_KEY_BYTES: i32 = 32;
/** SHA-256 of the payload. */
export const SLOT_AT_PAYLOAD_HASH: i32 = 128;
export const SLOT_HASH_BYTES: i32 = 32;
/**
 * Ed25519 (RFC 8032) over the header's bytes before it, with zeros for what the medium changes: sequence, tries and
 * medium. Firmware from before there were signatures has zeros from SLOT_AT_BUILT on, and ignores what is there.
 */
export const SLOT_AT_SIGNATURE: i32 = 160;
export const SLOT_SIGNATURE_BYTES: i32 = 64;
/** CRC-32 of the header's bytes before it. */
export const SLOT_AT_HEADER_CRC: i32 = 508;

export const SLOT_CONFIRMED: i32 = -1;
/** Boots that a trial may have at most: a header that grants more was not written by us. */
export const SLOT_TRIES_MOST: i32 = 15;
/**
 * RAM that any firmware needs beside kernel, packed payload and snapshot: tables of the plane, stacks. It is the least,
 * not the exact sum: the packed kernel's RAM, more than all of this, is free again when the kernel runs. Firmware that passes and finds
 * too little says so at its start, and its trial ends.
 */
export const SLOT_WORK_BYTES: i32 = 256 * 1024;
/** RAM below the BIOS's that firmware may count on: the smallest that a PC with 4 MB leaves. */
export const SLOT_LOW_BYTES: i32 = 640 * 1024;
/** In either slot: behind it configurations go on. */
export const SLOT_PAYLOAD_SECTORS: i32 = CONFIG_MORE_SECTOR - SLOT_SECTOR - 1;
/** A PC with a 486 and a BIOS: boards `isapc` and `pc`. */
export const BOARD_I486: i32 = 1;
/** Kernels start at 1 MiB: above everything that belongs to the BIOS. */
export const KERNEL_AT: i32 = 0x100000;

// --- header of a saved configuration; the text follows at CONFIG_AT_TEXT ------------------------------------
/** "MQCF" */
export const CONFIG_MAGIC: i32 = 0x4643514d;
export const CONFIG_FORMAT: i32 = 1;
export const CONFIG_AT_MAGIC: i32 = 0;
export const CONFIG_AT_FORMAT: i32 = 4;
export const CONFIG_AT_SEQUENCE: i32 = 8;
/** Bytes of text. */
export const CONFIG_AT_LENGTH: i32 = 12;
/** CRC-32 of the 16 bytes before it and the text. */
export const CONFIG_AT_CRC: i32 = 16;
export const CONFIG_AT_TEXT: i32 = 32;
/** What a whole record takes in memory, pages. */
export const SETTINGS_BYTES: i32 = ((CONFIG_SECTORS + CONFIG_MORE_SECTORS) * SECTOR_BYTES + 4095) & ~4095;
/** In place of CONFIG_MAGIC: settings were saved, and none of them can be read. */
export const SETTINGS_LOST: i32 = 1;
/** 64 KiB, which with the header are CONFIG_SECTORS and CONFIG_MORE_SECTORS. */
export const CONFIG_TEXT_MAX: i32 = 65536;

// --- a sector of the log: an append-only ring of keyed records (src/control/core/store/journal.ts) -----------------
/** "MQLG" */
export const LOG_MAGIC: i32 = 0x474c514d;
export const LOG_AT_MAGIC: i32 = 0;
/** Counts the sectors written; the newest has the highest, by signed difference. */
export const LOG_AT_SEQUENCE: i32 = 4;
/** CRC-32 of the 8 bytes before it and of all that follows. */
export const LOG_AT_CRC: i32 = 8;
/** Records to the end of the sector, or to a kind of 0. */
export const LOG_AT_RECORDS: i32 = 12;
export const LOG_RECORD_AT_KIND: i32 = 0;
/** 16 bits. */
export const LOG_RECORD_AT_LENGTH: i32 = 2;
export const LOG_RECORD_AT_KEY: i32 = 4;
/** The payload, filled up to a multiple of 4. */
export const LOG_RECORD_AT_PAYLOAD: i32 = 8;
/** A lease that the DHCP server has given; the key is the address. */
export const LOG_KIND_LEASE: i32 = 1;
/** The WAN's last address by DHCP; the key is 0. */
export const LOG_KIND_WAN: i32 = 2;
/** Why the board, or control, died; the key is a place among the last few. */
export const LOG_KIND_CRASH: i32 = 3;
/** The cards of LAN and WAN (src/control/cards/cards.ts); the key is 0. */
export const LOG_KIND_CARDS: i32 = 4;
/** What calls of a link by modem have used (src/control/ppp/budget.ts); the key is the link. */
export const LOG_KIND_CALLS: i32 = 5;
/** The last session of a link by PPPoE (src/control/ppp/pppoe/remembered.ts); the key is the link. */
export const LOG_KIND_SESSION: i32 = 6;

// --- low memory while the loader runs ------------------------------------------------------------------------
//     0x0600  boot information         0xfc00  loader's variables
//     0x7c00  boot sector, and the    0x10000  tables, slot headers
//             stack downwards from it 0x20000  what INT 13h reads goes here first
//     0x8000  loader, as on the flash
export const BOOT_INFO_AT: i32 = 0x600;
export const LOADER_STACK_AT: i32 = 0x7c00;
export const BOOT_SECTOR_AT: i32 = 0x7c00;
export const LOADER_AT: i32 = 0x8000;
export const CRC_TABLES_AT: i32 = 0x10000;
export const CRC_TABLES_BYTES: i32 = 4096;
/** Scratch of unpack(), in the loader and in the kernel. */
export const UNPACK_AT: i32 = CRC_TABLES_AT + CRC_TABLES_BYTES;
export const UNPACK_BYTES: i32 = 4096;
export const SLOT_HEADERS_AT: i32 = UNPACK_AT + UNPACK_BYTES;
/** A floppy's DMA cannot cross 64 KiB, so the buffer starts at a multiple of it. */
export const BOUNCE_AT: i32 = 0x20000;
export const BOUNCE_SECTORS: i32 = 64;
/** RAM above is not used: the kernel maps no more. */
export const MEMORY_MAX_KIB: i32 = 16384;

// --- boot information: words at BOOT_INFO_AT, its address in EBX at the kernel's entry --------------------------
/** "MQBI" */
export const BOOT_MAGIC: i32 = 0x4942514d;
export const BOOT_AT_MAGIC: i32 = 0;
/** RAM from address 0 to its end in KiB, at most MEMORY_MAX_KIB. */
export const BOOT_AT_MEMORY_KIB: i32 = 4;
/** RAM below the BIOS's own in KiB (INT 12h). */
export const BOOT_AT_LOW_MEMORY_KIB: i32 = 8;
export const BOOT_AT_DRIVE: i32 = 12;
export const BOOT_AT_SLOT: i32 = 16;
/** The packed snapshot's physical address, packed length, and length. */
export const BOOT_AT_SNAPSHOT: i32 = 20;
export const BOOT_AT_SNAPSHOT_PACKED: i32 = 24;
export const BOOT_AT_SNAPSHOT_BYTES: i32 = 28;
/** PIT counts (1.193182 MHz) from the boot sector's first instruction to the kernel's. */
export const BOOT_AT_COUNTS: i32 = 32;
export const BOOT_AT_KERNEL_BYTES: i32 = 36;
export const BOOT_AT_SEQUENCE: i32 = 40;
export const BOOT_AT_TRIES: i32 = 44;
/** The medium number of the disk or floppy that we came from. */
export const BOOT_AT_MEDIUM: i32 = 48;
/** Where a floppy's saved settings lie (image/loader/settings.ts), a multiple of a page; 0 on a disk. */
export const BOOT_AT_SETTINGS: i32 = 52;
export const BOOT_INFO_BYTES: i32 = 64;
